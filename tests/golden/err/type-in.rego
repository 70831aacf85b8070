package app

allow if input.role in "admin"

ok if { some x in 3; x > 1 }
