/* The report that the page shows, and what the parts of the page ask of it:
 *   bench.names, bench.seeds       columns: the backends, and MiniTorch's own figures
 *   bench.baseline                 what speedups are against; bench.follow(draw) calls draw now and when it changes
 *   bench.ok(c, name)              the result of a case where it is good, else null
 *   bench.speedup(c, name)         times as fast as the baseline, or null
 * Times are seconds a run. */
const bench = (function () {
	'use strict';

	const report = mtData('report');
	const followers = [];
	const self = {
		report: report,
		cases: report.cases,
		backends: report.backends,
		names: report.backends.map(function (backend) {
			return backend.name;
		}),
		seeds: [],
		ceilings: Array.isArray(report.ceilings) ? report.ceilings : [],
		baseline: report.baseline || (report.backends.length ? report.backends[0].name : '')
	};

	self.cases.forEach(function (c) {
		Object.keys(c.seeds || {}).forEach(function (column) {
			if (!self.seeds.includes(column))
				self.seeds.push(column);
		});
	});

	self.peer = function (name) {
		return self.backends.some(function (backend) {
			return backend.name === name && backend.peer === true;
		});
	};

	/* The look of a column, the same in all charts. */
	self.style = function (name) {
		const at = self.names.indexOf(name);
		return at >= 0 ? at : self.names.length + self.seeds.indexOf(name);
	};

	self.result = function (c, name) {
		return c.results && c.results[name] || null;
	};

	self.ok = function (c, name) {
		const result = self.result(c, name);
		return result !== null && result.status === 'ok' && result.median > 0 ? result : null;
	};

	/* Seconds in a column of either kind, or null. */
	self.time = function (c, name) {
		const result = self.ok(c, name);
		if (result !== null)
			return result.median;
		const seed = self.names.includes(name) ? 0 : (c.seeds || {})[name];
		return seed > 0 ? seed : null;
	};

	self.speedup = function (c, name) {
		const base = self.time(c, self.baseline);
		const time = self.time(c, name);
		return base !== null && time !== null ? base / time : null;
	};

	/* {mean, least, greatest, count} of the speedups over the cases; mean is the geometric one.  null: none. */
	self.speedups = function (cases, name) {
		let sum = 0;
		const all = [];
		cases.forEach(function (c) {
			const value = self.speedup(c, name);
			if (value === null)
				return;
			all.push({c: c, value: value});
			sum += Math.log(value);
		});
		if (all.length === 0)
			return null;
		all.sort(function (a, b) {
			return a.value - b.value;
		});
		return {
			mean: Math.exp(sum / all.length),
			least: all[0],
			greatest: all[all.length - 1],
			count: all.length
		};
	};

	/* The different values of key among the cases, in their order. */
	self.distinct = function (cases, key) {
		return Array.from(new Set(cases.map(function (c) {
			return c[key];
		})));
	};

	self.follow = function (draw) {
		followers.push(draw);
		draw();
	};

	self.setBaseline = function (name) {
		self.baseline = name;
		followers.forEach(function (draw) {
			draw();
		});
	};

	/* Marks as in the table on a terminal: "?" not checked, "*" with kernels that the reference ran in its place. */
	self.marks = function (result) {
		return result === null ? '' : (result.unchecked === true ? '?' : '') + (result.fallback > 0 ? '*' : '');
	};

	function tagOf(name) {
		if (!self.names.includes(name))
			return 'MiniTorch, other hardware';
		if (name === self.baseline)
			return 'baseline';
		return self.peer(name) ? 'peer' : '';
	}

	/* A name as it stands at the head of a column. */
	self.headline = function (name) {
		const tag = tagOf(name);
		return [name, tag ? mtNode('span', {class: 'bench-tag'}, tag) : null];
	};

	/* A choice from options: [[value, text], …]. */
	self.select = function (label, options, chosen, onchange) {
		const select = mtNode('select', {}, options.map(function (option) {
			return mtNode('option', {value: option[0], selected: option[0] === chosen}, option[1]);
		}));
		select.addEventListener('change', function () {
			onchange(select.value);
		});
		return mtNode('label', {class: 'bench-choice'}, [label + ' ', select]);
	};

	return self;
})();
