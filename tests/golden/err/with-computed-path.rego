package t

p if {
	some x in ["a"]
	data.t.q[x] with data.t.q[x] as 1
}
