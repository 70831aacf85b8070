package a

allow
