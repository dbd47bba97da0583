(async function () {
  "use strict";
  var still = function () { document.documentElement.classList.add("cx-still"); };

  async function unpack() {
    var packed = Uint8Array.from(atob(document.getElementById("cx-bundle").textContent), function (letter) {
      return letter.charCodeAt(0);
    });
    var stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    var script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
  }

  function written(value, how, decimal) {
    var figure = (how.scale * value).toFixed(how.decimals).replace("-", "\u2212").replace(".", decimal);
    return figure + (how.unit && "\u00a0" + how.unit);
  }

  function equip(figure, sliders, decimal) {
    var status = document.createElement("p");
    status.className = "cx-status";
    status.setAttribute("role", "status");
    figure.querySelectorAll(".vega-bind input[type=range]").forEach(function (input) {
      var how = sliders[input.name];
      var shown = document.createElement("span");
      shown.className = "cx-value";
      var show = function () {
        shown.textContent = how ? written(Number(input.value), how, decimal) : input.value;
        input.setAttribute("aria-valuetext", shown.textContent);
      };
      input.setAttribute("aria-label", input.parentElement.querySelector(".vega-bind-name").textContent.trim());
      input.nextElementSibling.hidden = true;
      input.after(shown);
      input.addEventListener("input", show);
      input.addEventListener("change", function () {
        var result = figure.querySelector(".cx-live .result_marks text");
        status.textContent = result ? result.textContent : "";
      });
      figure.append(status);
      show();
    });
  }

  async function enliven(figure) {
    var spec = JSON.parse(figure.querySelector("script").textContent);
    await vegaEmbed(figure.querySelector(".cx-live"), spec, {
      ast: true,
      renderer: "svg",
      mode: "vega-lite",
      actions: { export: true, source: false, compiled: false, editor: false }
    });
    var locale = (spec.config && spec.config.locale) || {};
    equip(figure, (spec.usermeta && spec.usermeta.sliders) || {}, locale.number ? locale.number.decimal : ".");
    figure.classList.add("on");
  }

  if (!window.DecompressionStream) { still(); return; }
  try { await unpack(); } catch (error) { still(); console.error(error); return; }
  document.querySelectorAll("figure.cx-figure").forEach(function (figure) {
    var start = function () { enliven(figure).catch(function (error) { console.error(error); }); };
    var folded = figure.closest("details.cx-appendix:not([open])");
    if (folded) { folded.addEventListener("toggle", start, { once: true }); } else { start(); }
  });
})();
