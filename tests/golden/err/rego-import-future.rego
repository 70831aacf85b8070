package a

import future.keywords.of
