// Package peers measures decisions beside those of other engines on the same
// questions in the same run. It is a module of its own, so that nothing of them
// comes near the product.
package peers
