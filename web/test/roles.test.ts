import { describe, expect, it } from 'vitest';

import { Problem } from '../src/api/problem';
import type { Impact, ImpactSide, Role } from '../src/api/roles';
import { byResource, everywhere, impactSays, noRole, permitted, restSays, roleChanges, roleOf, sideSays } from '../src/roles';

const permission = (text: string, reserved = false) => {
  const [resource = '', action = ''] = text.split(':');
  return { permission: text, resource, action, scoped: true, reserved };
};
const nothing: ImpactSide = { everywhere: [], servers: [], servers_count: 0, others: [], others_count: 0 };
const impact = (i: Partial<Impact>): Impact => ({ people: [], count: 0, applications: [], applications_count: 0, complete: true, ...i });

describe('permissions', () => {
  it('are grouped by resource, without those that no custom role has', () => {
    const all = [permission('group:read'), permission('role:create', true), permission('server:read'), permission('server:update')];
    expect(byResource(all).map((g) => [g.resource, g.permissions.length])).toEqual([['group', 1], ['server', 2]]);
  });
  it('are read by resource', () => {
    expect(permitted(['access_control:read', 'server:read', 'server:update'])).toEqual([
      { resource: 'access control', actions: 'read' }, { resource: 'server', actions: 'read, update' },
    ]);
  });
});

describe('a form', () => {
  const values = { name: ' helper ', description: 'a\r\nb', where: 'named', scope: 'web-*\r\n\n db-* ', objects: '' };
  it('describes a role', () => {
    expect(roleOf(values, ['server:update', 'server:read'])).toEqual({
      name: 'helper', description: 'a\nb', permissions: ['server:read', 'server:update'], scope: { objects: [], patterns: ['web-*', 'db-*'] },
    });
  });
  it('counts everywhere only when that is said', () => {
    expect(everywhere(roleOf({ ...values, where: 'everywhere' }, []))).toBe(true);
    expect(() => roleOf({ ...values, scope: ' ' }, [])).toThrow(Problem);
  });
  it('sends what was changed and nothing else', () => {
    const shown: Role = { ...noRole, id: 'x', built_in: false, name: 'helper', permissions: ['server:update', 'server:read'] };
    expect(roleChanges(shown, { ...noRole, name: 'helper', permissions: ['server:read', 'server:update'] })).toEqual({});
    expect(roleChanges(shown, { ...noRole, name: 'helper', permissions: ['server:read'], scope: { objects: [], patterns: ['*'] } }))
      .toEqual({ permissions: ['server:read'], scope: { objects: [], patterns: ['*'] } });
  });
});

describe('an impact', () => {
  it('tells the same of several objects together', () => {
    const on = (name: string, ...permissions: string[]) => ({ id: name, name, permissions });
    expect(sideSays({
      everywhere: ['audit:read'], servers: [on('a', 'server:read'), on('b', 'server:read'), on('c', 'server:update')], servers_count: 5,
      others: [{ ...on('web', 'group:read'), kind: 'group' }], others_count: 1,
    })).toEqual(['audit:read everywhere', 'server:read on a, b', 'server:update on c', 'something on 2 more servers', 'group:read on group web']);
    expect(sideSays({ ...nothing, servers_count: 1 })).toEqual(['something on 1 server']);
    expect(sideSays(nothing)).toEqual([]);
  });
  it('tells how many people there are, and whether there may be others', () => {
    expect(impactSays(impact({}))).toBe('Nobody gains or loses anything.');
    expect(impactSays(impact({ count: 1 }))).toBe('One person gains or loses something.');
    expect(impactSays(impact({ applications_count: 1 }))).toBe('One application gains or loses something.');
    expect(impactSays(impact({ count: 1, applications_count: 2 }))).toBe('One person and 2 applications gain or lose something.');
    expect(restSays(impact({ applications_count: 1 }))).toBe('They are not named here.');
    expect(impactSays(impact({ count: 2, complete: false }))).toContain('There may be others.');
    expect(restSays(impact({ count: 2 }))).toBe('They are not named here.');
    expect(restSays(impact({ count: 2, people: [{ user: { id: '1', name: 'a', email: '' }, gained: nothing, lost: nothing }] }))).toBe('And 1 more who is not named here.');
    expect(restSays(impact({}))).toBe('');
  });
});
