// SPDX-License-Identifier: Apache-2.0
// What the files of libaegis-crypto share. In: nothing. Out: the library context and keys made of numbers.
// Next file to read: openssl.c.
#ifndef AGR_OPENSSL_H
#define AGR_OPENSSL_H

#include "aegis_crypto.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdbool.h>

// Set once by the first aegis_crypto_openssl.
OSSL_LIB_CTX *agr_libctx(void);
// NULL: the numbers are no key, or memory is short. The caller frees it.
EVP_PKEY *agr_openssl_key(const struct aegis_key *k);
// struct aegis_crypto.verify_chain
int agr_verify_chain(const struct aegis_chain *chain, uint32_t *ret_ix, uint32_t *ret_n);

#endif
