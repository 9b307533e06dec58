/* At the page's top: how much faster each column is, suite by suite; and every result that is not good, with its reason. */
(function () {
	'use strict';

	function speedRow(suite, name, cases) {
		const s = bench.speedups(cases, name);
		const bad = cases.filter(function (c) {
			const result = bench.result(c, name);
			return result !== null && (result.status === 'WRONG' || result.status === 'failed');
		});
		if (s === null && bad.length === 0)
			return null;
		function end(item) {
			return mtNode('td', {class: 'mt-number', 'data-value': s ? item.value : ''}, s ? [mtFormat(item.value, 'times'),
				mtNode('div', {class: 'bench-small'}, item.c.op + ' ' + item.c.dtype + ' ' + item.c.size)] : '–');
		}
		return mtNode('tr', {'data-suite': suite, 'data-backend': name}, [mtNode('td', {}, suite),
			mtNode('th', {scope: 'row'}, bench.headline(name)),
			mtNode('td', {class: 'mt-number bench-mean', 'data-value': s ? s.mean : ''}, s ? mtFormat(s.mean, 'times') : '–'),
			end(s && s.least), end(s && s.greatest),
			mtNode('td', {class: 'mt-number'}, String(s ? s.count : 0)),
			mtNode('td', {class: 'mt-number' + (bad.length ? ' mt-bad' : '')}, String(bad.length))]);
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
		const heads = [['suite', ''], ['backend', ''], ['geometric mean', 'mt-number'], ['least', 'mt-number'],
			['greatest', 'mt-number'], ['compared', 'mt-number'], ['wrong or failed', 'mt-number']];
		const table = mtNode('table', {id: 'bench-speedups'}, [mtNode('thead', {}, mtNode('tr', {}, heads.map(function (head) {
			return mtNode('th', {scope: 'col', class: head[1]}, head[0]);
		}))), mtNode('tbody', {}, rows)]);
		mtSortableTable(table);
		place.replaceChildren(mtNode('h2', {}, 'Speedups'), mtNode('p', {}, bench.select('How many times as fast as',
			bench.names.map(function (name) {
				return [name, name];
			}), bench.baseline, bench.setBaseline)), mtNode('div', {class: 'mt-scroll'}, table));
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
					found.set(key, {name: name, status: result.status, reason: result.reason || 'no reason is given', cases: []});
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
		return bench.cases.filter(function (c) {
			return bench.names.some(function (name) {
				return bench.marks(bench.result(c, name)).includes(mark);
			});
		}).length;
	}

	function drawProblems(place) {
		const all = problems();
		const unchecked = marked('?');
		const fallback = marked('*');
		const notes = [unchecked === 0 ? '' : 'Results marked ? (' + unchecked + (unchecked === 1 ? ' case' : ' cases') +
			') are not checked: the reference would have taken too long.', fallback === 0 ? '' : 'Those marked * (' + fallback +
			(fallback === 1 ? ' case' : ' cases') + ') ran kernels of the reference in place of kernels that the backend does not have.'];
		const note = mtNode('p', {class: 'mt-note'}, notes.join(' '));
		if (all.length === 0) {
			if (bench.cases.length)
				place.replaceChildren(mtNode('p', {class: 'mt-good'}, unchecked > 0
					? 'Every result that was checked agrees with the reference.' : 'Every result agrees with the reference.'), note);
			return;
		}
		place.replaceChildren(mtNode('h2', {}, 'Wrong, failed, unavailable'), mtNode('div', {class: 'mt-scroll'}, mtNode('table', {}, [
			mtNode('thead', {}, mtNode('tr', {}, ['status', 'backend', 'reason', 'where'].map(function (head) {
				return mtNode('th', {scope: 'col'}, head);
			}))),
			mtNode('tbody', {}, all.map(function (problem) {
				return mtNode('tr', {'data-status': problem.status}, [
					mtNode('td', {class: problem.status === 'unavailable' ? 'mt-warn' : 'mt-bad'},
						mtNode('strong', {}, problem.status)),
					mtNode('td', {}, problem.name), mtNode('td', {class: 'bench-reason'}, problem.reason),
					mtNode('td', {class: 'bench-reason'}, where(problem.cases))]);
			}))])), note);
	}

	bench.follow(function () {
		drawSpeedups(document.getElementById('bench-summary'));
	});
	drawProblems(document.getElementById('bench-problems'));
})();
