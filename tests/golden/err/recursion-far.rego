package t

a := b + 1

b := c[0]

c := [x | x := data.t[_]]
