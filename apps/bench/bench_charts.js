/* A line for each op, which opens to its charts: time and speedup against size, or bars where there is one size.
 * Then the roofline.  Charts are drawn when they are first seen. */
(function () {
	'use strict';

	/* The columns with a time in any of the cases. */
	function columnsOf(cases) {
		return bench.names.concat(bench.seeds).filter(function (name) {
			return cases.some(function (c) {
				return bench.time(c, name) !== null;
			});
		});
	}

	function titleOf(name) {
		return bench.names.includes(name) ? bench.peer(name) ? name + ' (peer)' : name : name + ' (other hardware)';
	}

	/* One series: points of [x, value(c)] where there is one, p10 to p90 as a band where band is set. */
	function seriesOf(cases, name, value, band) {
		const shown = cases.filter(function (c) {
			return value(c) !== null;
		});
		function quantile(key) {
			return shown.map(function (c) {
				const result = bench.ok(c, name);
				return result && typeof result[key] === 'number' ? result[key] : null;
			});
		}
		return {
			name: titleOf(name),
			style: bench.style(name),
			dashed: !bench.names.includes(name) || bench.peer(name),
			points: shown.map(function (c) {
				return [c.x, value(c)];
			}),
			low: band ? quantile('p10') : null,
			high: band ? quantile('p90') : null,
			labels: shown.map(function (c) {
				return c.size;
			})
		};
	}

	function timeChart(place, cases, title) {
		mtLineChart(place, {
			title: title,
			height: 280,
			legend: true,
			x: {label: 'size', log: true},
			y: {label: 'time of a run', log: true, format: 'time'},
			series: columnsOf(cases).map(function (name) {
				return seriesOf(cases, name, function (c) {
					return bench.time(c, name);
				}, true);
			})
		});
	}

	function speedupChart(place, cases) {
		mtLineChart(place, {
			title: 'Times as fast as ' + bench.baseline,
			height: 280,
			legend: true,
			x: {label: 'size', log: true},
			y: {label: 'speedup', log: true, format: 'times'},
			series: columnsOf(cases).map(function (name) {
				const series = seriesOf(cases, name, function (c) {
					return bench.speedup(c, name);
				}, false);
				series.marker = name !== bench.baseline;
				return series;
			})
		});
	}

	/* Of a single case: a bar for each column, its length the time. */
	function bars(place, c) {
		const names = columnsOf([c]);
		const longest = Math.max.apply(null, names.map(function (name) {
			return bench.time(c, name);
		}));
		place.append(mtNode('figure', {class: 'mt-chart'}, [
			mtNode('figcaption', {}, c.dtype + ', ' + c.size),
			mtNode('table', {class: 'bench-bars'}, names.map(function (name) {
				const time = bench.time(c, name);
				const speedup = bench.speedup(c, name);
				return mtNode('tr', {'data-series': name}, [
					mtNode('th', {scope: 'row'}, titleOf(name)),
					mtNode('td', {class: 'mt-number'}, mtFormat(time, 'time')),
					mtNode('td', {class: 'mt-number'}, speedup === null ? '' : mtFormat(speedup, 'times')),
					mtNode('td', {class: 'mt-number'},
						c.examples > 0 ? mtFormat(c.examples / time, 'si') + ' examples/s' : ''),
					mtNode('td', {class: 'bench-bar'}, mtNode('div', {
						style: 'width:' + (100 * time / longest).toFixed(2) + '%;background:var(--mt-series-' +
							bench.style(name) % 8 + ')'
					}))
				]);
			}))
		]));
	}

	/* What the charts have left out, and why. */
	function leftOut(cases) {
		const items = [];
		cases.forEach(function (c) {
			bench.names.forEach(function (name) {
				const result = bench.result(c, name);
				if (result !== null && result.status !== 'ok' && result.status !== 'unavailable')
					items.push(mtNode('li', {}, [
						mtNode('strong', {class: 'mt-bad'}, result.status),
						' ' + name + ', ' + c.dtype + ' ' + c.size + ': ' + (result.reason || 'no reason is given')
					]));
			});
		});
		return items.length ? mtNode('ul', {class: 'bench-left-out'}, items) : null;
	}

	function drawOp(body, cases) {
		body.replaceChildren();
		bench.distinct(cases, 'dtype').forEach(function (dtype) {
			const some = cases.filter(function (c) {
				return c.dtype === dtype;
			});
			some.sort(function (a, b) {
				return a.x - b.x;
			});
			if (bench.distinct(some, 'x').length < 2) {
				some.forEach(function (c) {
					bars(body, c);
				});
				return;
			}
			const time = mtNode('div');
			const speedup = mtNode('div');
			body.append(mtNode('div', {class: 'bench-pair'}, [time, speedup]));
			timeChart(time, some, dtype + ': time of a run');
			speedupChart(speedup, some);
		});
		body.append(leftOut(cases) || '');
	}

	function summaryOf(cases, columns) {
		const bad = cases.some(function (c) {
			return bench.names.some(function (name) {
				const result = bench.result(c, name);
				return result !== null && (result.status === 'WRONG' || result.status === 'failed');
			});
		});
		const speedups = columns.map(function (name) {
			const s = bench.speedups(cases, name);
			const text = s ? mtFormat(s.mean, 'times') : '–';
			return mtNode(
				'span', {class: 'mt-number', 'data-backend': name}, name === bench.baseline ? '' : text);
		});
		const mark = bad ? mtNode('strong', {class: 'mt-bad'}, ' !') : null;
		return [
			mtNode('span', {class: 'bench-op'}, [cases[0].op, mark]),
			mtNode('span', {class: 'bench-small'}, bench.distinct(cases, 'dtype').join(' '))
		].concat(speedups);
	}

	/* Its line follows the baseline; so do its charts, while they are open. */
	function opDetails(cases, columns) {
		const summary = mtNode('summary');
		const body = mtNode('div', {class: 'bench-body'});
		const details = mtNode(
			'details', {class: 'bench-group', 'data-op': cases[0].op, 'data-suite': cases[0].suite}, [summary, body]);
		let drawn = null; /* the baseline that it was drawn with */
		function draw() {
			if (details.open && drawn !== bench.baseline) {
				drawn = bench.baseline;
				drawOp(body, cases);
			}
		}
		details.addEventListener('toggle', draw);
		bench.follow(function () {
			summary.replaceChildren.apply(summary, summaryOf(cases, columns));
			draw();
		});
		return details;
	}

	function drawSuite(place, suite, cases) {
		const columns = columnsOf(cases);
		const head = mtNode('div', {class: 'bench-line bench-head'});
		const lines = mtNode('div', {class: 'bench-lines', style: '--bench-columns:' + columns.length}, head);
		bench.follow(function () {
			head.replaceChildren(mtNode('span', {}, 'op'), mtNode('span', {}, 'dtypes'));
			columns.forEach(function (name) {
				head.append(mtNode('span', {class: 'mt-number'}, bench.headline(name)));
			});
		});
		bench.distinct(cases, 'op').forEach(function (op) {
			const some = cases.filter(function (c) {
				return c.op === op;
			});
			lines.append(opDetails(some, columns));
		});
		place.append(mtNode('h2', {}, 'Suite ' + suite), mtNode('div', {class: 'bench-scroll'}, lines));
	}

	function drawOps(place) {
		bench.distinct(bench.cases, 'suite').forEach(function (suite) {
			drawSuite(place, suite, bench.cases.filter(function (c) {
				return c.suite === suite;
			}));
		});
		if (bench.cases.length)
			place.append(mtNode('p', {class: 'mt-note'},
				'Geometric means of the speedups of each op; a line opens to its charts. ' +
					'Bands in them are the 10th to 90th percentile.'));
	}

	/* ---- the roofline ---- */

	function drawRoofline(place) {
		const counted = bench.cases.filter(function (c) {
			return c.flops > 0 && c.bytes > 0 && bench.names.some(function (name) {
				return bench.ok(c, name) !== null;
			});
		});
		if (counted.length === 0)
			return;
		const dtypes = bench.distinct(counted, 'dtype');
		const styles = {};
		const chart = mtNode('div');
		bench.names.forEach(function (name) {
			styles[name] = bench.style(name);
		});
		function draw(dtype) {
			const points = [];
			counted.forEach(function (c) {
				bench.names.forEach(function (name) {
					const result = c.dtype === dtype ? bench.ok(c, name) : null;
					if (result !== null)
						points.push({
							name: name,
							label: c.op + ' ' + c.dtype + ' ' + c.size,
							intensity: c.flops / c.bytes,
							gflops: c.flops / result.median / 1e9
						});
				});
			});
			mtRoofline(chart, {
				title: dtype,
				points: points,
				styles: styles,
				height: 440,
				ceilings: bench.ceilings.map(function (ceiling) {
					return {name: ceiling.backend, gflops: ceiling.gflops, gbps: ceiling.gbps};
				})
			});
		}
		const first = dtypes.includes('f32') ? 'f32' : dtypes[0];
		const choices = dtypes.map(function (dtype) {
			return [dtype, dtype];
		});
		place.append(mtNode('h2', {}, 'Roofline'),
			mtNode('p', {class: 'mt-note'},
				'Each mark is a case: what it reaches, at its arithmetic intensity (flops to the bytes that must be ' +
					'moved at least). Lines are the measured ceilings (f32): what lies above a slope has its data ' +
					'in a cache.'),
			dtypes.length > 1 ? bench.select('dtype', choices, first, draw) : '', chart);
		draw(first);
	}

	drawOps(document.getElementById('bench-ops'));
	drawRoofline(document.getElementById('bench-roofline'));
})();
