package t

import data.users as input

p := input
