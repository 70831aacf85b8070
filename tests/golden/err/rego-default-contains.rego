package a

default p contains 1
