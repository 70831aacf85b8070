package a

p if { input.x } { input.y } else := 2
