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

	function fillCell(cell, c, name) {
		const result = bench.result(c, name);
		const bad = result !== null && result.status !== 'ok';
		const value = bad ? null : state.measure.of(c, name);
		cell.className = 'mt-number' + (!bad ? '' : result.status === 'unavailable' ? ' bench-gone' : ' mt-bad bench-bad');
		cell.setAttribute('data-value', bad ? result.status : value === null ? '' : value);
		cell.textContent = bad ? result.status : value === null ? '–' : mtFormat(value, state.measure.kind) +
			bench.marks(result);
		cell.title = bad ? result.reason || '' : result !== null && value !== null ? result.runs + ' runs, p10 ' +
			mtFormat(result.p10, 'time') + ', p90 ' + mtFormat(result.p90, 'time') : '';
	}

	function fill(table) {
		Array.from(table.tBodies[0].rows).forEach(function (row) {
			columns.forEach(function (name, i) {
				fillCell(row.cells[FIXED.length + i], row.benchCase, name);
			});
		});
	}

	function keeps(c) {
		if (state.suite && c.suite !== state.suite || state.op && c.op !== state.op || state.dtype && c.dtype !== state.dtype)
			return false;
		if (state.status && !bench.names.some(function (name) {
			const result = bench.result(c, name);
			return result !== null && (state.status === 'unchecked' ? result.unchecked === true
				: state.status === 'fallback' ? result.fallback > 0 : result.status === state.status);
		}))
			return false;
		return state.text.toLowerCase().split(/\s+/).every(function (word) {
			return c.id.toLowerCase().includes(word);
		});
	}

	function makeTable() {
		const head = mtNode('tr', {}, FIXED.map(function (key) {
			return mtNode('th', {scope: 'col'}, key);
		}).concat(columns.map(function (name) {
			return mtNode('th', {scope: 'col', class: 'mt-number', 'data-backend': name}, bench.headline(name));
		})));
		const rows = bench.cases.map(function (c) {
			const row = mtNode('tr', {'data-id': c.id}, FIXED.map(function (key) {
				return mtNode('td', {}, c[key]);
			}).concat(columns.map(function () {
				return mtNode('td');
			})));
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

	function draw(place) {
		const table = makeTable();
		const count = mtNode('p', {class: 'mt-note', 'aria-live': 'polite', id: 'bench-count'});
		function filter() {
			const shown = mtFilterTable(table, function (row) {
				return keeps(row.benchCase);
			});
			count.textContent = shown + ' of ' + bench.cases.length + ' cases';
		}
		function choice(key, options) {
			return bench.select(key, [['', 'all']].concat(options.map(function (option) {
				return [option, option];
			})), '', function (value) {
				state[key] = value;
				filter();
			});
		}
		const bar = mtNode('div', {class: 'bench-bar-of-choices'}, [
			bench.select('show', measures.map(function (measure) {
				return [measure.name, measure.text];
			}), state.measure.name, function (value) {
				state.measure = measures.find(function (measure) {
					return measure.name === value;
				});
				fill(table);
			}),
			choice('suite', bench.distinct(bench.cases, 'suite')), choice('op', bench.distinct(bench.cases, 'op').sort()),
			choice('dtype', bench.distinct(bench.cases, 'dtype')), 
			choice('status', ['WRONG', 'failed', 'unavailable', 'unchecked', 'fallback']),
			mtNode('label', {class: 'bench-choice'}, ['find ', mtNode('input', {type: 'search', size: 18,
				placeholder: 'matmul m=64', oninput: function (event) {
					state.text = event.target.value.trim();
					filter();
				}})])]);
		place.append(mtNode('h2', {}, 'All cases'), bar, count, mtNode('div', {class: 'mt-scroll bench-tall'}, table));
		bench.follow(function () {
			fillHeads(table);
			fill(table);
		});
		filter();
	}

	draw(document.getElementById('bench-cases'));
})();
