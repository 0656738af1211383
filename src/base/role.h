/* Who began a connection or a stream. */
#ifndef BASE_ROLE_H
#define BASE_ROLE_H

enum role { DIALER, LISTENER };

#endif
