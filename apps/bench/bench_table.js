/* The table of all cases: one measure at a time, filtered, sorted by any column. */
(function () {
	'use strict';

	/* What a cell can show: {name, text, of(c, column)}, a number or null; times are all that seeds have. */
	function rate(key, unit) {
		return function (c, name) {
			const time = bench.time(c, name);
			return time !== null && c[key] > 0 ? c[key] / time / unit : null;
		};
	}

	function own(key) {
		return function (c, name) {
			const result = bench.ok(c, name);
			return result !== null && typeof result[key] === 'number' ? result[key] : null;
		};
	}

	const measures = [
		{name: 'time', text: 'time of a run', kind: 'time', of: bench.time},
		{name: 'speedup', text: 'speedup', kind: 'times', of: bench.speedup},
		{name: 'gflops', text: 'GFLOP/s', kind: 'three', of: rate('flops', 1e9)},
		{name: 'gbps', text: 'GB/s', kind: 'three', of: rate('bytes', 1e9)},
		{name: 'examples', text: 'examples/s', kind: 'si', of: rate('examples', 1)},
		{name: 'share', text: 'share of the nearer ceiling', kind: 'percent', of: own('share')},
		{name: 'dispatch', text: 'time in dispatch', kind: 'percent', of: own('dispatch')}
	].filter(function (measure) {
		return measure.name === 'time' || bench.cases.some(function (c) {
			return bench.names.some(function (name) {
				return measure.of(c, name) !== null;
			});
		});
	});

	const columns = bench.names.concat(bench.seeds);
	const FIXED = ['suite', 'op', 'dtype', 'size'];
	const state = {measure: measures[0], suite: '', op: '', dtype: '', status: '', text: ''};

	/* A result that is not good shows its status. */
	function fillBad(cell, result) {
		cell.className = 'mt-number ' + (result.status === 'unavailable' ? 'bench-gone' : 'mt-bad bench-bad');
		cell.setAttribute('data-value', result.status);
		cell.title = result.reason || '';
		cell.textContent = result.status;
	}

	function fillCell(cell, c, name) {
		const result = bench.result(c, name);
		if (result !== null && result.status !== 'ok') {
			fillBad(cell, result);
			return;
		}
		const value = state.measure.of(c, name);
		cell.className = 'mt-number';
		cell.setAttribute('data-value', value === null ? '' : value);
		cell.textContent = mtFormat(value, state.measure.kind);
		if (value !== null && bench.marks(result) !== '')
			cell.append(mtNode('span', {class: 'bench-mark'}, bench.marks(result)));
		if (value !== null && result !== null)
			cell.title = result.runs + ' runs, p10 ' + mtFormat(result.p10, 'time') + ', p90 ' +
				mtFormat(result.p90, 'time');
	}

	function fill(table) {
		Array.from(table.tBodies[0].rows).forEach(function (row) {
			columns.forEach(function (name, i) {
				fillCell(row.cells[FIXED.length + i], row.benchCase, name);
			});
		});
	}

	function hasStatus(result) {
		if (result === null)
			return false;
		if (state.status === 'unchecked')
			return result.unchecked === true;
		return state.status === 'fallback' ? result.fallback > 0 : result.status === state.status;
	}

	function keeps(c) {
		const chosen = ['suite', 'op', 'dtype'].every(function (key) {
			return state[key] === '' || c[key] === state[key];
		});
		const status = state.status === '' || bench.names.some(function (name) {
			return hasStatus(bench.result(c, name));
		});
		return chosen && status && state.text.toLowerCase().split(/\s+/).every(function (word) {
			return c.id.toLowerCase().includes(word);
		});
	}

	function makeTable() {
		const head = mtNode('tr');
		FIXED.forEach(function (key) {
			head.append(mtNode('th', {scope: 'col'}, key));
		});
		columns.forEach(function (name) {
			head.append(mtNode('th', {scope: 'col', class: 'mt-number', 'data-backend': name}, bench.headline(name)));
		});
		const rows = bench.cases.map(function (c) {
			const row = mtNode('tr', {'data-id': c.id}, FIXED.map(function (key) {
				return mtNode('td', {}, c[key]);
			}));
			columns.forEach(function () {
				row.append(mtNode('td'));
			});
			row.benchCase = c;
			return row;
		});
		const table = mtNode('table', {id: 'bench-table'}, [mtNode('thead', {}, head), mtNode('tbody', {}, rows)]);
		mtSortableTable(table);
		return table;
	}

	/* Heads name the baseline. */
	function fillHeads(table) {
		Array.from(table.tHead.rows[0].cells).slice(FIXED.length).forEach(function (head, i) {
			const button = head.querySelector('button');
			button.replaceChildren.apply(button, bench.headline(columns[i]).filter(Boolean));
		});
	}

	function measureChoice(table) {
		const options = measures.map(function (measure) {
			return [measure.name, measure.text];
		});
		return bench.select('show', options, state.measure.name, function (value) {
			state.measure = measures.find(function (measure) {
				return measure.name === value;
			});
			fill(table);
		});
	}

	function draw(place) {
		const table = makeTable();
		const count = mtNode('p', {class: 'mt-note', 'aria-live': 'polite', id: 'bench-count'});
		function filter() {
			const shown = mtFilterTable(table, function (row) {
				return keeps(row.benchCase);
			});
			count.textContent = shown + ' of ' + bench.cases.length + ' cases';
		}
		function choice(key, values) {
			const options = values.map(function (value) {
				return [value, value];
			});
			return bench.select(key, [['', 'all']].concat(options), '', function (value) {
				state[key] = value;
				filter();
			});
		}
		const find = mtNode('input', {type: 'search', size: 18, placeholder: 'matmul m=64'});
		find.addEventListener('input', function () {
			state.text = find.value.trim();
			filter();
		});
		const bar = mtNode('div', {class: 'bench-choices'}, [
			measureChoice(table),
			choice('suite', bench.distinct(bench.cases, 'suite')),
			choice('op', bench.distinct(bench.cases, 'op').sort()),
			choice('dtype', bench.distinct(bench.cases, 'dtype')),
			choice('status', ['WRONG', 'failed', 'unavailable', 'unchecked', 'fallback']),
			mtNode('label', {class: 'bench-choice'}, ['find ', find])
		]);
		place.append(
			mtNode('h2', {}, 'All cases'), bar, count, mtNode('div', {class: 'mt-scroll bench-tall'}, table));
		bench.follow(function () {
			fillHeads(table);
			fill(table);
		});
		filter();
	}

	draw(document.getElementById('bench-cases'));
})();
