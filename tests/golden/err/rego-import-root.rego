package a

import roles.admin
