# head

# about
package a # pkg

import data.z # zed
import data.b # bee
# own
import data.c

# rule
p := 1 # one
q := 2
# r doc
r if { # open
	# first
	x := [ # list
		1, # one
		# two
		2,
		# end
	] # after

	# gap

	y == { # obj
		"a": 1, # a
		"b": [z | # comp
			z := 1 # z
			# tail
		],
	}
	f( # call
		1,
		2 # two
	)
	every k in xs { # ev
		k # kk
	}
	a +
		# middle
		b == 2
	not x # nx
	x with input as 1 # w1
		with data.b as 2 # w2
	{"k": # stuck
		1}
	# close
} # end
# before else
else := 3 if { # else
	true
} else := 4 # last

f( # args
	a, # a
	b
) := a + b # f
t := $"a{ # c
x}"

# final
# block

# end
