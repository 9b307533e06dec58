/* At the page's top: how much faster each column is, suite by suite; every result that is not good, with its reason. */
(function () {
	'use strict';

	/* A speedup (null: none), of a case where c is one. */
	function speedCell(value, name, c) {
		const cell = mtNode('td', {class: 'mt-number ' + name, 'data-value': value === null ? '' : value});
		cell.append(mtFormat(value, 'times'));
		if (c)
			cell.append(mtNode('div', {class: 'bench-small bench-case'}, c.op + ' ' + c.dtype + ' ' + c.size));
		return cell;
	}

	function speedRow(suite, name, cases) {
		const s = bench.speedups(cases, name);
		const bad = cases.filter(function (c) {
			const result = bench.result(c, name);
			return result !== null && (result.status === 'WRONG' || result.status === 'failed');
		});
		if (s === null && bad.length === 0)
			return null;
		return mtNode('tr', {'data-suite': suite, 'data-backend': name}, [
			mtNode('td', {}, suite),
			mtNode('th', {scope: 'row'}, bench.headline(name)),
			speedCell(s && s.mean, 'bench-mean'),
			speedCell(s && s.least.value, '', s && s.least.c),
			speedCell(s && s.greatest.value, '', s && s.greatest.c),
			mtNode('td', {class: 'mt-number'}, String(s ? s.count : 0)),
			mtNode('td', {class: 'mt-number' + (bad.length ? ' mt-bad' : '')}, String(bad.length))
		]);
	}

	function drawSpeedups(place) {
		const rows = [];
		bench.distinct(bench.cases, 'suite').forEach(function (suite) {
			const cases = bench.cases.filter(function (c) {
				return c.suite === suite;
			});
			bench.names.concat(bench.seeds).forEach(function (name) {
				if (name !== bench.baseline)
					rows.push(speedRow(suite, name, cases));
			});
		});
		const heads = [
			['suite', ''], ['backend', ''], ['geometric mean', 'mt-number'], ['least', 'mt-number'],
			['greatest', 'mt-number'], ['compared', 'mt-number'], ['wrong or failed', 'mt-number']
		];
		const table = mtNode('table', {id: 'bench-speedups'}, [
			mtNode('thead', {}, mtNode('tr', {}, heads.map(function (head) {
				return mtNode('th', {scope: 'col', class: head[1]}, head[0]);
			}))),
			mtNode('tbody', {}, rows)
		]);
		mtSortableTable(table);
		const names = bench.names.map(function (name) {
			return [name, name];
		});
		place.replaceChildren(mtNode('h2', {}, 'Speedups'),
			mtNode('p', {}, bench.select('How many times as fast as', names, bench.baseline, bench.setBaseline)),
			mtNode('div', {class: 'mt-scroll'}, table));
	}

	/* Results of one backend with one status and one reason are told once. */
	function problems() {
		const found = new Map();
		bench.cases.forEach(function (c) {
			bench.names.forEach(function (name) {
				const result = bench.result(c, name);
				if (result === null || result.status === 'ok')
					return;
				const key = JSON.stringify([name, result.status, result.reason]);
				if (!found.has(key))
					found.set(key, {
						name: name,
						status: result.status,
						reason: result.reason || 'no reason is given',
						cases: []
					});
				found.get(key).cases.push(c.id);
			});
		});
		const rank = {WRONG: 0, failed: 1, unavailable: 2};
		return Array.from(found.values()).sort(function (a, b) {
			return rank[a.status] - rank[b.status];
		});
	}

	function where(ids) {
		if (ids.length < 3)
			return ids.join(', ');
		return mtNode('details', {}, [mtNode('summary', {}, ids.length + ' cases'), ids.join(', ')]);
	}

	/* How many cases have a result with that mark. */
	function marked(mark) {
		const cases = bench.cases.filter(function (c) {
			return bench.names.some(function (name) {
				return bench.marks(bench.result(c, name)).includes(mark);
			});
		});
		return cases.length;
	}

	function casesText(n) {
		return '(' + n + (n === 1 ? ' case)' : ' cases)');
	}

	/* What the marks in the table of cases mean, as far as they are there. */
	function notes() {
		const unchecked = marked('?');
		const fallback = marked('*');
		const texts = [];
		if (unchecked > 0)
			texts.push('Results marked ? ' + casesText(unchecked) +
				' are not checked: the reference would have taken too long.');
		if (fallback > 0)
			texts.push('Those marked * ' + casesText(fallback) +
				' ran kernels of the reference in place of kernels that the backend does not have.');
		return mtNode('p', {class: 'mt-note'}, texts.join(' '));
	}

	function problemTable(all) {
		const heads = ['status', 'backend', 'reason', 'where'].map(function (head) {
			return mtNode('th', {scope: 'col'}, head);
		});
		const rows = all.map(function (problem) {
			const color = problem.status === 'unavailable' ? 'mt-warn' : 'mt-bad';
			return mtNode('tr', {'data-status': problem.status}, [
				mtNode('td', {class: color}, mtNode('strong', {}, problem.status)),
				mtNode('td', {}, problem.name),
				mtNode('td', {class: 'bench-reason'}, problem.reason),
				mtNode('td', {class: 'bench-reason'}, where(problem.cases))
			]);
		});
		return mtNode('table', {}, [mtNode('thead', {}, mtNode('tr', {}, heads)), mtNode('tbody', {}, rows)]);
	}

	function drawProblems(place) {
		const all = problems();
		if (all.length > 0)
			place.replaceChildren(mtNode('h2', {}, 'Wrong, failed, unavailable'),
				mtNode('div', {class: 'mt-scroll'}, problemTable(all)), notes());
		else if (bench.cases.length > 0)
			place.replaceChildren(
				mtNode('p', {class: 'mt-good'}, 'Every result that was checked agrees with the reference.'), notes());
	}

	bench.follow(function () {
		drawSpeedups(document.getElementById('bench-summary'));
	});
	drawProblems(document.getElementById('bench-problems'));
})();
