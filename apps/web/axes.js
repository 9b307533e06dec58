/* Scales of charts: from values to pixels, and where their ticks stand.
 *   mtScale({log, min, max, format}, values, from, to, ticks)
 * gives {map(value), ticks: [{at, text}], low, high}.  format is a kind of mtFormat or a function.  Values that cannot
 * be shown are left out: what mtUsable(value, log) is false for, NaN say, or 0 on a log scale. */
(function () {
	'use strict';

	/* Beyond, differences overflow. */
	const LARGEST = 1e300;

	function usable(value, log) {
		return typeof value === 'number' && Math.abs(value) < LARGEST && (!log || value > 1 / LARGEST);
	}

	/* The least and the greatest of the values, widened where they are one, so that something can be between them. */
	function domain(axis, values) {
		let low = Infinity;
		let high = -Infinity;
		values.forEach(function (value) {
			if (usable(value, axis.log)) {
				low = Math.min(low, value);
				high = Math.max(high, value);
			}
		});
		if (low > high)
			return axis.log ? [1, 10] : [0, 1];
		if (axis.log)
			return low === high ? [low / 2, high * 2] : [low, high];
		if (low === high) {
			const room = low === 0 ? 1 : Math.abs(low) / 2;
			return [low - room, high + room];
		}
		return [low, high];
	}

	/* Room at the ends, and 0 where it is near. */
	function padded(axis, range) {
		let low = range[0];
		let high = range[1];
		if (axis.log) {
			const room = Math.pow(high / low, 0.04);
			low /= room;
			high *= room;
		} else if (axis.pad) {
			const span = high - low;
			const zero = low >= 0 && low <= 0.5 * high;
			low = zero ? 0 : low - 0.05 * span;
			high += 0.05 * span;
		}
		return [usable(axis.min, axis.log) ? axis.min : low, usable(axis.max, axis.log) ? axis.max : high];
	}

	function niceStep(step) {
		const power = Math.pow(10, Math.floor(Math.log10(step)));
		const digit = step / power;
		return (digit < 1.2 ? 1 : digit < 2.5 ? 2 : digit < 6 ? 5 : 10) * power;
	}

	function linearTicks(low, high, count, whole) {
		let step = niceStep((high - low) / Math.max(1, count));
		if (whole)
			step = Math.max(1, step);
		const ticks = [];
		const first = Math.ceil(low / step - 1e-9);
		for (let i = first; i <= first + 100 && i * step <= high + 1e-9 * step; i++)
			ticks.push(Number((i * step).toPrecision(12)));
		return ticks;
	}

	/* Decades, every second or third where they are many; 1, 2, 5 where they are few; linear within a decade. */
	function logTicks(low, high, count) {
		const first = Math.ceil(Math.log10(low) - 1e-9);
		const last = Math.floor(Math.log10(high) + 1e-9);
		const decades = Math.log10(high / low);
		if (decades < 1)
			return linearTicks(low, high, count).filter(function (value) {
				return value > 0;
			});
		const digits = 3 * decades <= count ? [1, 2, 5] : 1.5 * decades <= count && decades < 2 ? [1, 3] : [1];
		const stride = digits.length > 1 ? 1 : Math.max(1, Math.ceil(decades / Math.max(1, count)));
		const ticks = [];
		for (let power = first - 1; power <= last; power++)
			if ((power - first) % stride === 0)
				digits.forEach(function (digit) {
					const value = Number(digit + 'e' + power);
					if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9))
						ticks.push(value);
				});
		return ticks;
	}

	const RAISED = '⁰¹²³⁴⁵⁶⁷⁸⁹';

	/* 20000 as "2·10⁴". */
	function power(value) {
		const parts = value.toExponential().split('e');
		const exponent = Number(parts[1]);
		return (parts[0] === '1' ? '' : parts[0] + '·') + '10' + (exponent < 0 ? '⁻' : '') +
			String(Math.abs(exponent)).replace(/\d/g, function (digit) {
				return RAISED[digit];
			});
	}

	function tickText(axis, value, ticks) {
		if (typeof axis.format === 'function')
			return axis.format(value);
		if (axis.format)
			return mtFormat(value, axis.format, true);
		if (axis.log)
			return ticks.some(function (tick) {
				return tick >= 1e5 || tick < 1e-3;
			}) ?
				power(value) :
				mtFormat(value);
		const step = ticks.length > 1 ? ticks[1] - ticks[0] : Math.abs(value);
		const size = Math.max.apply(null, ticks.map(Math.abs));
		if (size >= 1e6 || (size > 0 && size < 1e-3))
			return value === 0 ? '0' : mtFormat(value);
		const decimals = Math.min(6, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
		return value.toFixed(decimals).replace('-', '−').replace(/^(\d+)(\d{3})$/, '$1\u2009$2');
	}

	window.mtUsable = usable;

	window.mtScale = function (axis, values, from, to, count) {
		const range = padded(axis, domain(axis, values));
		const turn = axis.log ? Math.log : Number;
		const start = turn(range[0]);
		const span = turn(range[1]) - start || 1;
		const places =
			axis.log ? logTicks(range[0], range[1], count) : linearTicks(range[0], range[1], count, axis.whole);
		return {
			low: range[0],
			high: range[1],
			ticks: places.map(function (at) {
				return {at: at, text: tickText(axis, at, places)};
			}),
			map: function (value) {
				return from + (to - from) * (turn(value) - start) / span;
			}
		};
	};
})();
