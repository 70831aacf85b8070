package t

p if q with input as {"role": role}

q if input.role == "admin"
