/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aegis_crypto.h: the one function of libaegis-crypto, a crypto provider made of OpenSSL (libcrypto alone).
 * A host that decides by policies with JWT signatures or X.509 chains gives it to aegis_host_open:
 *
 *     struct aegis_host_options o = {.size = sizeof o, .crypto = aegis_crypto_openssl()};
 *
 * Link with -laegis-crypto (pkg-config aegis-crypto). C99 and C++ clean.
 */
#ifndef AEGIS_CRYPTO_H
#define AEGIS_CRYPTO_H

#include "aegis.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The provider, or NULL when libcrypto cannot start (out of memory, an installation without its default
 * provider). The first call loads all it will ever need (algorithms, randomness), reads no configuration file
 * and opens no file later, so a process may make it and then close a system call filter behind it. Any
 * thread, any number of times; it stays until the process ends.
 */
AEGIS_API const struct aegis_crypto *aegis_crypto_openssl(void);

#ifdef __cplusplus
}
#endif

#endif
