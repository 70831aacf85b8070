package a

import future.keywords.in as inside
