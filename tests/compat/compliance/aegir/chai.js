// Stands in for aegir, js-libp2p's build tool of two thousand packages, of which its compliance tests
// use one file: chai with plugins. These are the plugins that the muxer's and the encrypter's cases need.
import * as chai from 'chai'
import chaiAsPromised from 'chai-as-promised'
import chaiBites from 'chai-bites'
import chaiParentheses from 'chai-parentheses'

chai.use(chaiAsPromised)
chai.use(chaiParentheses)
chai.use(chaiBites)

export const expect = chai.expect
