package config

import (
	"fmt"
	"strconv"

	"github.com/goccy/go-yaml/ast"

	"paddock/shared/pattern"
)

// An entry is a key of a mapping, or an entry of a list, with its value.
type entry struct {
	path  string // from the document on
	key   string
	line  int
	value ast.Node
}

// because returns the reason as an Error of the entry; none for no reason.
func (e entry) because(reason string) error {
	if reason == "" {
		return nil
	}
	return Error{e.line, e.path, reason}
}

// entries returns what a mapping has, in its order, or an Error for what is no
// mapping or has a key twice.
func entries(path string, node ast.Node) ([]entry, error) {
	var values []*ast.MappingValueNode
	switch n := node.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		return nil, Error{line(node), path, "must be keys with values"}
	}
	var all []entry
	lines := map[string]int{}
	for _, v := range values {
		e := entry{path: path, line: line(v.Key), value: v.Value}
		key, ok := v.Key.(*ast.StringNode)
		if !ok {
			return nil, e.because("a key must be text")
		}
		e.key, e.path = key.Value, shown(key.Value)
		if path != "" {
			e.path = path + "." + e.path
		}
		if before := lines[e.key]; before > 0 {
			return nil, e.because(fmt.Sprintf("this key is in line %d already", before))
		}
		lines[e.key] = e.line
		all = append(all, e)
	}
	return all, nil
}

// shown returns a key for a message: without what cannot be seen, and cut.
func shown(key string) string {
	const most = 40
	runes := []rune(key)
	if len(runes) > most {
		runes = append(runes[:most], '…')
	}
	quoted := strconv.Quote(string(runes))
	return quoted[1 : len(quoted)-1]
}

// line returns where a node begins; 0 when it does not say.
func line(node ast.Node) int {
	if node == nil || node.GetToken() == nil || node.GetToken().Position == nil {
		return 0
	}
	return node.GetToken().Position.Line
}

// text returns the entry's text, quoted or not. What YAML takes for a number, a
// truth value or nothing is none.
func (e entry) text() (string, error) {
	switch n := e.value.(type) {
	case *ast.StringNode:
		return n.Value, nil
	case *ast.LiteralNode:
		return n.Value.Value, nil
	}
	return "", e.because("must be text; quote what looks like something else")
}

// patterns returns the patterns of a list of server names.
func (e entry) patterns() ([]pattern.Pattern, error) {
	list, ok := e.value.(*ast.SequenceNode)
	if !ok {
		return nil, e.because("must be a list of server names and patterns")
	}
	var all []pattern.Pattern
	lines := map[string]int{}
	for i, node := range list.Values {
		one := entry{path: e.path + "[" + strconv.Itoa(i) + "]", line: line(node), value: node}
		if one.line == 0 {
			one.line = e.line
		}
		if i == MaxServers {
			return nil, Error{one.line, e.path, fmt.Sprintf("must not have more than %d patterns", MaxServers)}
		}
		text, err := one.text()
		if err != nil {
			return nil, err
		}
		p, err := pattern.Parse(pattern.Name, text)
		if err != nil {
			return nil, one.because(err.Error())
		}
		if before := lines[text]; before > 0 {
			return nil, one.because(fmt.Sprintf("this pattern is in line %d already", before))
		}
		lines[text] = one.line
		all = append(all, p)
	}
	return all, nil
}

// permissions returns the flags of a mapping.
func (e entry) permissions() (Permissions, error) {
	fields, err := entries(e.path, e.value)
	if err != nil {
		return Permissions{}, err
	}
	var p Permissions
	for _, f := range fields {
		known := false
		for _, flag := range p.fields() {
			if flag.key != f.key {
				continue
			}
			value, ok := f.value.(*ast.BoolNode)
			if !ok {
				return Permissions{}, f.because("must be true or false")
			}
			*flag.set, known = value.Value, true
		}
		if !known {
			return Permissions{}, f.because("there is no such key; there are terminal, webftp, deploy_shell and sudo")
		}
	}
	return p, nil
}
