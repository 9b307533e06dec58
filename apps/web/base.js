/* What every script of a page uses:
 *   mtData(id)                          what page_data(id) put into the page, parsed
 *   mtNode(tag, attributes, children)   an element; attributes {class: "x", onclick: f}, children: texts and nodes
 *   mtSvg(tag, attributes, children)    the same for SVG
 *   mtFormat(value, kind, short)        a number as text; kind: "plain", "three" (digits that count), "time" (of
 *                                       seconds), "si", "percent", "times", "integer"; short: no zeros at the end */
(function () {
	'use strict';

	/* 0.5 as "0.500", or as "0.5" where it is short. */
	function three(value, short) {
		const text = Math.abs(value) >= 100 ? String(Math.round(value)) : value.toPrecision(3);
		return short ? String(Number(text)) : text;
	}

	/* 1234.5 as "1234.5", 0.00000123 as "1.23e-6": as many digits as help. */
	function plain(value) {
		const size = Math.abs(value);
		if (size !== 0 && (size >= 1e7 || size < 1e-4))
			return value.toExponential(2).replace(/\.?0+e/, 'e').replace('e+', 'e');
		return String(Number(value.toPrecision(size >= 1000 ? 6 : 4)));
	}

	/* In the largest unit that leaves at least 1, as it will be rounded: 999.96 µs is 1.00 ms. */
	function scaled(value, units, zero, short) {
		if (value === 0)
			return zero;
		const rounded = Number(value.toPrecision(3));
		const fits = units.find(function (u) {
			return Math.abs(rounded) >= u[0];
		});
		const unit = fits || units[units.length - 1];
		return three(rounded / unit[0], short) + unit[1];
	}

	const seconds = [[60, ' min'], [1, ' s'], [1e-3, ' ms'], [1e-6, ' µs'], [1e-9, ' ns']];
	const si = [
		[1e15, 'P'], [1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k'], [1, ''], [1e-3, 'm'], [1e-6, 'µ'], [1e-9, 'n']
	];
	const kinds = {
		plain: plain,
		three: three,
		time: function (value, short) {
			return scaled(value, seconds, '0 s', short);
		},
		si: function (value, short) {
			return scaled(value, si, '0', short);
		},
		percent: function (value, short) {
			return (short ? three(100 * value, true) : (100 * value).toFixed(1)) + ' %';
		},
		times: function (value, short) {
			return three(value, short) + '×';
		},
		integer: function (value) {
			return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, '\u2009');
		}
	};

	window.mtFormat = function (value, kind, short) {
		if (typeof value !== 'number' || isNaN(value))
			return '–';
		if (!isFinite(value))
			return value < 0 ? '−∞' : '∞';
		return (kinds[kind] || plain)(value, short).replace(/-/g, '−');
	};

	window.mtData = function (id) {
		const element = document.getElementById('mt-data-' + id);
		if (element === null)
			throw new Error('mtData: the page has no data "' + id + '"');
		return JSON.parse(element.textContent);
	};

	function fill(node, attributes, children) {
		Object.keys(attributes || {}).forEach(function (name) {
			const value = attributes[name];
			if (typeof value === 'function')
				node.addEventListener(name.replace(/^on/, ''), value);
			else if (value !== null && value !== undefined && value !== false)
				node.setAttribute(name, value === true ? '' : value);
		});
		[].concat(children).forEach(function (child) {
			if (child !== null && child !== undefined)
				node.append(child);
		});
		return node;
	}

	window.mtNode = function (tag, attributes, children) {
		return fill(document.createElement(tag), attributes, children);
	};

	window.mtSvg = function (tag, attributes, children) {
		return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
	};
})();
