package t

q := {"a": 1}

p if q.a == 2 with q.a as 2
