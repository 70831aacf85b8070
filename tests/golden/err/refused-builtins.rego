package t

p := http.send({"method": "get", "url": "http://localhost"})

q := opa.runtime().env

r if any([true])
