package t

p[x] := 1 if some x in ["a"]

p.b := p.a
