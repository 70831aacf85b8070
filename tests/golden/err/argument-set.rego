package app

first({x}) := x
