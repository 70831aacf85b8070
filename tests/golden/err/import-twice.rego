package t

import data.a.roles
import data.b.roles

p := roles
