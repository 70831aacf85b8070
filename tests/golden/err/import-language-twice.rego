package app

import rego.v1
import rego.v1

allow if input.a
