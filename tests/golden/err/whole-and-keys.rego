package t

p := {"a": 1}

p[x] := 2 if some x in ["b"]
