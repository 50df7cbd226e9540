"""Writes cases.json: templates and what Jinja2 (with the environment of transformers' chat templates) makes of them.

    python make.py        needs transformers and jinja2
"""
import json
from transformers.utils.chat_template_utils import _compile_jinja_template

CTX = {
    "a": "A", "e": "", "t": True, "f": False, "n": None, "i": 7, "m": -7, "x": 2.5, "l": [3, 1, 2], "s": "abc,aXc", "w": "  two words \n",
    "u": "é中😀", "d": {"k": "v", "b": 1, "a": None}, "h": "it's \"q\"\n", "ll": [["x", 1], ["y", 2]],
    "msgs": [{"role": "user", "content": " u ", "n": 2}, {"role": "assistant", "content": "b", "n": 1}, {"role": "user", "content": "C", "n": 3}],
}

CASES = r"""
{{ 1 }}{{ 1.50 }}{{ 1e3 }}{{ 1_000 }}{{ 0x1f }}
{{ 1e16 }} {{ 1e15 }} {{ 0.0001 }} {{ 0.00001 }} {{ 1/3 }} {{ 100.0 }} {{ -0.0 }}
{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % -3 }} {{ -7 % 3 }} {{ 7.5 // 2 }} {{ -7.5 % 2 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 2 ** 3 ** 2 }} {{ -2 ** 2 }}
{{ 1 + 2 ~ 3 }} {{ 1 ~ 2 + 3 }} {{ 'a' ~ n ~ t ~ x ~ l }}
{{ t + t }} {{ t * 3 }} {{ 'ab' * 2 }} {{ 2 * 'ab' }} {{ 'ab' * -1 }}
{{ 1 == 1.0 }} {{ 1 == t }} {{ '1' == 1 }} {{ n == f }} {{ [1] == [1.0] }} {{ (1,) == [1] }} {{ d == {'b': 1, 'a': none, 'k': 'v'} }}
{{ 1 < 2 < 3 }} {{ 1 < 2 > 3 }} {{ 'a' < 'b' }} {{ [1,2] < [1,3] }} {{ 1 != 2 }} {{ 2 >= 2.0 }}
{{ not 1 == 2 }} {{ not t or t }} {{ t and not f }} {{ (not t) is false }} {{ not n is none }}
{{ 'b' in s }} {{ 'z' not in s }} {{ 1 in l }} {{ 'k' in d }} {{ 'v' in d }} {{ '' in s }}
{{ l[0] }}{{ l[-1] }}{{ l[5] }}{{ l.0 }}{{ l['0'] }}
{{ l[::2] }} {{ l[1:] }} {{ l[:-1] }} {{ l[::-1] }} {{ l[5:] }} {{ l[-2:] }} {{ l[2:0:-1] }} {{ l[none:2] }}
{{ s[2:5] }} {{ s[-3:] }} {{ s[::-2] }} {{ u[1] }} {{ u[::-1] }} {{ u[1:] }} {{ u[-1] }} {{ u | length }} {{ s[10] }}
{{ d.k }} {{ d['k'] }} {{ d.zz }} {{ d['zz'] }}
{{ d }} {{ l }} {{ (1, 'a') }} {{ (1,) }} {{ () }} {{ [h] }} {{ ['\\', "'", '"', '\t', '\x01', 'é', '\u200b'] }} {{ {'a': (1,)} }}
{{ h }} {{ h | tojson }} {{ d | tojson }} {{ [1.0, 1e20, true, none, 'é中<>&'] | tojson }} {{ {1: 2, none: 3, true: 4} | tojson }}
{{ d | tojson(indent=2) }} {{ [] | tojson(indent=2) }} {{ {} | tojson }} {{ d | tojson(separators=(',', ':')) }} {{ d | tojson(sort_keys=true) }} {{ 'é😀' | tojson(ensure_ascii=true) }}
{{ w | trim }}|{{ w.strip() }}|{{ w.lstrip() }}|{{ w.rstrip() }}|{{ 'xxaxx'.strip('x') }}|{{ 'abcba' | trim('ab') }}|{{ 'xyz'.lstrip('yx') }}
{{ s.split(',') }} {{ s.split('a', 1) }} {{ w.split() }} {{ ' a  b c '.split(none, 1) }} {{ 'a,b,c'.rsplit(',', 1) }} {{ ''.split(',') }} {{ ''.split() }}
{{ 'a\nb\r\nc\n'.splitlines() }} {{ 'a\nb'.splitlines(true) }} {{ ''.splitlines() }} {{ '\n'.splitlines() }}
{{ s.replace('a', 'b', 1) }} {{ 'aaa'.replace('a', '') }} {{ 'ab'.replace('', '-') }} {{ s | replace('a', 'b', 1) }}
{{ s.find('X') }} {{ s.find('q') }} {{ s.rfind('a') }} {{ s.index('c') }} {{ s.count('c') }} {{ u.find('😀') }}
{{ s.startswith('ab') }} {{ s.endswith(('x', 'Xc')) }} {{ 'ab'.removeprefix('a') }} {{ 'ab'.removesuffix('b') }}
{{ 'a-b-c'.partition('-') }} {{ 'a-b-c'.rpartition('-') }} {{ 'abc'.partition('-') }} {{ 'abc'.rpartition('-') }}
{{ 'hello wORLD'.title() }} {{ "it's a-b".title() }} {{ "it's a-b (x)" | title }} {{ 'hELLO'.capitalize() }} {{ 'hELLO wO' | capitalize }} {{ 'ß'.upper() }} {{ 'ÄÖ' | lower }}
{{ '12'.isdigit() }} {{ ''.isdigit() }} {{ 'ab'.isalpha() }} {{ 'a1'.isalnum() }} {{ ' \n'.isspace() }} {{ 'AB1'.isupper() }} {{ 'ab1'.islower() }} {{ '1'.isupper() }} {{ '5'.isnumeric() }}
{{ '5'.zfill(3) }} {{ '-5'.zfill(4) }} {{ 'a'.ljust(3) }}| {{ 'a'.rjust(3, '*') }} {{ 'ab'.center(5) }}| {{ 'abc'.center(6) }}| {{ 'abc'.center(4, '-') }}
{{ ','.join(['a', 'b']) }} {{ '-'.join('abc') }} {{ '{} {1} {x}'.format(1, 2, x=3) if false else 'skip' }} {{ '{} and {}'.format('a', 1) }} {{ '{1}{0} {{x}} {k}'.format('a', 'b', k='v') }}
{{ '%s' % 'a' }} {{ '%s %r' % ('a', 'a') }} {{ '%d%%' % 5 }} {{ '%5d|%-5d|%05d|%+d' % (1, 2, 3, 4) }} {{ '%.2f' % 3.14159 }} {{ '%x %X %o' % (255, 255, 8) }} {{ '%5s|%-5s|%.2s' % ('a', 'b', 'abc') }} {{ '%(k)s' % d }} {{ '%e' % 12345.678 }} {{ '%g %g' % (0.0001, 1000000.0) }} {{ '%#x' % 255 }}
{{ '%s-%s' | format('a', 2) }} {{ '%s' % [1, 2] }} {{ '%s' % (none,) }}
{{ l | sort }} {{ l | sort(reverse=true) }} {{ ['b', 'A', 'c'] | sort }} {{ ['b', 'A', 'c'] | sort(case_sensitive=true) }} {{ msgs | sort(attribute='n') | map(attribute='n') | list }}
{{ l | first }} {{ l | last }} {{ [] | first }} {{ l | length }} {{ l | count }} {{ d | length }} {{ e | length }} {{ l | sum }} {{ msgs | sum(attribute='n') }} {{ [] | sum }} {{ l | min }} {{ l | max }} {{ msgs | map(attribute='n') | max }} {{ ['b', 'A'] | min }}
{{ l | reverse | list }} {{ 'abc' | reverse }} {{ l | join }} {{ l | join('-') }} {{ msgs | join(',', attribute='role') }} {{ [none, 1, 'a'] | join(' ') }}
{{ [1, 2, 1, 'a', 'A'] | unique | list }} {{ msgs | unique(attribute='role') | map(attribute='content') | list }} {{ [1,2,3] | batch(2) | list }} {{ [1,2,3] | batch(2, 0) | list }}
{% for g, items in msgs | groupby('role') %}{{ g }}={{ items | map(attribute='n') | list }};{% endfor %} {% for g in msgs | groupby('role') %}{{ g[0] }}{{ g[1] | length }}{% endfor %}
{{ msgs | map(attribute='zz', default='?') | list }} {{ ['a', 'b'] | map('upper') | list }} {{ [1, 'a', none] | map('string') | list }} {{ ['a', 'b'] | map('replace', 'a', 'z') | list }}
{{ [0, 1, none, 'a', ''] | select | list }} {{ [1, 2, 3] | select('odd') | list }} {{ [1, 2, 3] | reject('gt', 1) | list }} {{ msgs | selectattr('n', 'ge', 2) | map(attribute='n') | list }} {{ msgs | rejectattr('role', 'in', ['user']) | list | length }} {{ msgs | selectattr('zz', 'defined') | list }} {{ msgs | selectattr('n') | list | length }}
{{ d | dictsort }} {{ {'b': 1, 'A': 2} | dictsort }} {{ {'b': 1, 'a': 2} | dictsort(by='value') }} {{ d | items | list }} {{ d.keys() | list }} {{ d.values() | list }} {{ d | list }}
{{ '42' | int }} {{ 'x' | int }} {{ 'x' | int(-1) }} {{ '4.7' | int }} {{ 3.9 | int }} {{ 'ff' | int(0, 16) }} {{ '1.5' | float }} {{ 'x' | float }} {{ 2 | float }} {{ 2.567 | round(1) }} {{ 2.5 | round }} {{ 3.5 | round }} {{ -3 | abs }} {{ -3.5 | abs }}
{{ zz | default('d') }} {{ n | default('d') }} {{ e | default('d', true) }} {{ zz.q | default('d') if false else 'ok' }} {{ d.zz | default('d') }} {{ zz | d('x') }} {{ zz | default }}|
{{ '<a> & "b" \'c\'' | e }} {{ '<a>' | escape }} {{ '<a>' | safe }} {{ '<a>' }}
{{ 'a\n\nb' | indent }} {{ 'a\n\nb' | indent(2, true) }} {{ 'a\n\nb' | indent(2, true, true) }} {{ 'a\nb' | indent('>> ') }} {{ 'a\n' | indent(2) }}|
{{ 'hello big world' | truncate(11) }} {{ 'hello big world' | truncate(9, leeway=0) }} {{ 'hello big world' | truncate(9, true, leeway=0) }} {{ 'hello big world' | truncate(9, true, '~', 0) }} {{ 'a b c' | wordcount }}
{{ zz is defined }} {{ zz is undefined }} {{ n is none }} {{ n is defined }} {{ 1 is odd }} {{ 2 is even }} {{ 9 is divisibleby 3 }} {{ 9 is divisibleby(2) }} {{ 1 is integer }} {{ t is integer }} {{ t is number }} {{ 1.0 is float }} {{ 1 is eq 1 }} {{ 1 is eq(1) and t }} {{ 'a' is in ['a'] }} {{ 'a' is lower }} {{ 'A' is upper }} {{ s is sequence }} {{ 1 is iterable }} {{ d is iterable }} {{ d is sequence }} {{ 1 is sameas 1 }} {{ t is sameas true }} {{ 1 is sameas true }} {{ range is callable }} {{ 'upper' is filter }} {{ zz is iterable }} {{ n is iterable }} {{ 1 is not odd }} {{ t is boolean }}
{% for x in l %}{{ loop.index }}/{{ loop.length }}{% if not loop.last %}, {% endif %}{% endfor %}
{% for x in [] %}x{% else %}none{% endfor %} {% for x in zz %}x{% else %}undefined{% endfor %}
{% for x in l if x > 1 %}{{ loop.index }}{{ x }}{% else %}no{% endfor %} {% for x in l if x > 9 %}{{ x }}{% else %}no{% endfor %}
{% for a, b in ll %}{{ a }}{{ b }}{% endfor %} {% for (a, b) in ll %}{{ a }}{{ b }}{% endfor %} {% for k, v in d.items() %}{{ k }}{{ v }}{% endfor %} {{ a }}
{% set x = 0 %}{% for i in l %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}
{% for i in l %}{% for j in l %}{{ loop.index }}{{ loop.depth }}{% endfor %}{{ loop.index }}{{ loop.depth0 }}{% endfor %}
{% for i in [1,1,2] %}{{ loop.cycle('a', 'b') }}{{ loop.changed(i) }}{% endfor %}
{% for c in u %}{{ c }}-{% endfor %} {% for i in range(5, 0, -2) %}{{ i }}{% endfor %} {% for i in 1, 2 %}{{ i }}{% endfor %}
{% for i in l %}{% if i == 1 %}{% continue %}{% endif %}{% for j in l %}{% if j == 2 %}{% break %}{% endif %}{{ i }}{{ j }} {% endfor %}{% endfor %}
{% if n %}a{% elif e %}b{% elif l %}c{% else %}d{% endif %} {% if l is defined and l %}y{% endif %}
{% set a %}x{{ i }}{% endset %}[{{ a }}] {% set b | upper %}abc{% endset %}{{ b }} {% set p, q = 1, 2 %}{{ p }}{{ q }} {% set z = 1, 2 %}{{ z }}
{% set ns = namespace(x=1, y='a') %}{% if true %}{% set ns.x = 5 %}{% endif %}{{ ns.x }}{{ ns.y }}{{ ns.zz }} {% set ns = namespace({'q': 3}) %}{{ ns.q }}
{% macro f(a, b=2, c=a) %}{{ a }}{{ b }}{{ c }};{% endmacro %}{{ f(1) }}{{ f(1, c=3) }}{{ f(b=1, a=0) }}{{ f.name }}
{% macro g() %}<{{ caller() }}>{% endmacro %}{% call g() %}in {{ a }}{% endcall %} {% macro h2(l) %}{% for i in l %}{{ caller(i) }}{% endfor %}{% endmacro %}{% call(i) h2(l) %}[{{ i }}]{% endcall %}
{% macro r(k) %}{{ k }}{% if k > 0 %}{{ r(k - 1) }}{% endif %}{% endmacro %}{{ r(3) }}
{% filter upper | replace('A', 'z') %}abc {{ a }}{% endfilter %} {% with q = 5, p = i %}{{ q }}{{ p }}{% endwith %}{{ q }}
{% raw %}{{ x }} {% if %}{% endraw %} {# comment {{ x }} #}|
a {%- if t %} b {% endif -%} c
a {{- ' b ' -}} c {{+ 1 }}
  {% if t %}
    x
  {% endif %}
y
  {%+ if t %}z{% endif %}
line1
{# gone #}
  {# gone too #}
line2 {# stays #}
line3
  {% set q = 1 %}  tail
{{ a }}
{% if t %}

one blank{% endif %}
{{ '%}' }} {{ "}}" }} {{ {'a': {'b': 1}}.a.b }} {{ {'a': {'b': 1}}['a']['b'] }}
{{ 'a' 'b' "c" }} {{ 'a\tb\x41\u00e9\\n\q\'' }} {{ "\"" }} {{ '\101' }}
{{ t and 'yes' or 'no' }} {{ 'yes' if n else 'no' }} {{ ('a' if t) ~ ('b' if f) }} {{ 1 if f else 2 if f else 3 }}
{{ dict(a=1, b='x') }} {{ dict({'q': 1}, r=2) }} {{ range(3) | list }} {{ range(1, 4) | list }} {{ (l | length) + 1 }} {{ -l[0] }} {{ -(1 + 2) }} {{ +1 }} {{ - 1 | abs }}
{{ l | map('string') | map('upper') | join }} {{ (msgs | first).role }} {{ msgs[0]['content'] | trim | upper }} {{ (l + [4])[-1] }} {{ msgs[1:] | map(attribute='role') | list }}
{% generation %}a{% endgeneration %} {% set j = joiner('|') %}{{ j() }}a{{ j() }}b{{ j() }}c
{{ l.index(1) }} {{ l.count(1) }} {{ d.get('k') }} {{ d.get('q') }} {{ d.get('q', 5) }} {{ d.copy() }}
{{ none }} {{ None }} {{ true }} {{ False }} {{ [none, true] }} {{ x }} {{ zz }}|
{{ msgs | selectattr('role', 'equalto', 'user') | map(attribute='content') | map('trim') | join(',') }}
{{ 1 is defined and 2 is defined }} {{ not zz is defined }} {{ zz is not defined or zz.q }} {{ 5 is gt 3 }} {{ 'x' is string and t }}
{{ i | string | length }} {{ [1,2] + [3] }} {{ (1,2) + (3,) }} {{ 'a,b'.split(',') | last }}
{{ zz.q }}
{{ zz['q'] }}
{{ zz() }}
{{ zz + 1 }}
{{ 1 + 'a' }}
{{ 'a' + 1 }}
{{ n.q.r }}
{{ d.q.r }}
{{ 1 / 0 }}
{{ l.append(4) }}
{{ d.update({}) }}
{{ a | nofilter }}
{{ a is notest }}
{{ nofunc(1) }}
{{ 1 in 5 }}
{{ none in 'abc' }}
{{ 'a' < 1 }}
{{ none | length }}
{{ 5 | list }}
{% for x in 5 %}{% endfor %}
{% for a, b in l %}{% endfor %}
{{ '%d' % 'a' }}
{{ '%s %s' % 'a' }}
{{ '%s' % (1, 2) }}
{{ [1, 'a'] | sort }}
{% if %}x{% endif %}
{% if t %}x
{% endif %}
{{ a
{{ a b }}
{{ 'abc }}
{% unknown %}
{% for x l %}{% endfor %}
{{ (1 }}
{{ 1) }}
{% break %}
{% set a.b = 1 %}
{{ raise_exception('stop here') }}
{{ f2(a if t else b) }}
{{ ''.join([1]) }}
{{ l | join(',') | tojson }}
{{ d | tojson | length }} {{ [d, [d]] | tojson(indent=1) }} {{ x | tojson }} {{ zz | tojson }}
"""


def cases():
    # Cases that need several lines are the blocks between these first and last lines.
    lines, out, i = CASES.strip("\n").split("\n"), [], 0
    starts = {"  {% if t %}": 5, "line1": 5, "  {% set q = 1 %}  tail": 2, "{% if t %}": 3, "{% if t %}x": 2}
    while i < len(lines):
        n = starts.get(lines[i], 1)
        out.append("\n".join(lines[i:i + n]))
        i += n
    return out


def main():
    out = []
    for template in cases():
        try:
            out.append({"template": template, "out": _compile_jinja_template(template).render(**CTX)})
        except Exception as e:
            out.append({"template": template, "error": f"{type(e).__name__}: {e}"})
    with open("cases.json", "w") as f:
        json.dump({"context": CTX, "cases": out}, f, ensure_ascii=False, indent=1)
        f.write("\n")


main()
