// SPDX-License-Identifier: Apache-2.0
// The capabilities of this compiler for other Rego tools. Next file to read: capabilities.c.
#ifndef AGC_CAPABILITIES_H
#define AGC_CAPABILITIES_H

#include <stdio.h>

// Prints every built-in function and operator with its types, and the features of the language, in the form
// that Open Policy Agent's --capabilities reads: modules that call aegis.* then pass its checks.
void agc_capabilities_print(FILE *f);

#endif
