package t

p.q := {"r": 1}

p.q.r.s := 2
