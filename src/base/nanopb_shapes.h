/*
 * Included in front of nanopb's own sources (Makefile): the shapes that our messages have, so that code
 * for others is left out. Every field is optional, or repeated and left to a callback, which comes to the
 * same; it is a number without sign, a bool or a message where it is static, and bytes, text or messages
 * where it is a callback's, of which nanopb asks but the wire type, the one of a message.
 */
#ifndef BASE_NANOPB_SHAPES_H
#define BASE_NANOPB_SHAPES_H

#include <pb.h>

#undef PB_LTYPE_IS_SUBMSG
#define PB_LTYPE_IS_SUBMSG(type) (((type)&PB_LTYPE_MASK) == PB_LTYPE_SUBMESSAGE)

#undef PB_HTYPE
#define PB_HTYPE(type) ((void)(type), PB_HTYPE_OPTIONAL)

#undef PB_ATYPE
#define PB_ATYPE(type) ((type)&PB_ATYPE_CALLBACK)

#undef PB_LTYPE
#define PB_LTYPE(type)                                                                             \
    (((type)&PB_LTYPE_MASK) == PB_LTYPE_BOOL      ? PB_LTYPE_BOOL                                  \
     : ((type)&PB_LTYPE_MASK) <= PB_LTYPE_UVARINT ? PB_LTYPE_UVARINT                               \
                                                  : PB_LTYPE_SUBMESSAGE)

#endif
