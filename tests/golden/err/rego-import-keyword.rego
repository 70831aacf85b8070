package a

import data.rules.default
