import data.x

package a
