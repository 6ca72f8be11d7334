/// What a page brings with it, so that it shows the same without a network and years later.
enum LoadPageStyle {
    static let css = """
        :root{color-scheme:light dark;--page:#f9f9f7;--card:#fcfcfb;--ink:#0b0b0b;--soft:#52514e;--muted:#77756f;
        --grid:#e6e5df;--border:#dddcd6;--a:#2a78d6;--b:#d9541f;--bad:#c22f2f;--warn:#fdf3d7;--warnline:#d9a400}
        @media(prefers-color-scheme:dark){:root{--page:#0d0d0d;--card:#1a1a19;--ink:#fff;--soft:#c3c2b7;--muted:#9a988f;
        --grid:#2c2c2a;--border:#333330;--a:#4a97ee;--b:#ea6a38;--bad:#f06a6a;--warn:#2d2612;--warnline:#b98b00}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
        main{max-width:1560px;margin:0 auto;padding:24px 20px 60px}
        h1{font-size:22px;margin:0 0 4px;font-weight:650}h2{font-size:16px;margin:32px 0 10px;font-weight:650}
        p{margin:4px 0;color:var(--soft)}.note{font-size:13px;color:var(--muted);max-width:110ch}
        .addr{font-family:ui-monospace,monospace;font-size:13px;overflow-wrap:anywhere}
        .warn{background:var(--warn);border-left:4px solid var(--warnline);padding:10px 14px;margin:16px 0}
        .warn ul{margin:4px 0 0;padding-left:20px}
        .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:10px;margin-top:12px}
        .tile{background:var(--card);border:1px solid var(--border);border-radius:8px;padding:10px 14px}
        .tile b{display:block;font-size:22px;font-weight:600;line-height:1.3}.tile span{font-size:13px;color:var(--soft)}
        .tile.bad b{color:var(--bad)}
        .charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,620px),1fr));gap:16px;margin-top:18px;align-items:start}
        figure{margin:0;background:var(--card);border:1px solid var(--border);border-radius:8px;padding:12px 14px 8px}
        figcaption{font-weight:600;font-size:14px}
        .legend{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:13px;color:var(--soft);margin-top:2px}
        .key i{display:inline-block;width:22px;border-top:2.5px solid;vertical-align:middle;margin-right:6px}
        .key.dashed i{border-top-style:dashed;border-top-width:2px}.key.a i{color:var(--a)}.key.b i{color:var(--b)}
        .key b{display:inline-block;width:8px;height:8px;border-radius:50%;background:var(--bad);margin-right:6px}
        .name{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:8px}
        .name.a{background:var(--a)}.name.b{background:var(--b)}
        figure{overflow-x:auto}svg.chart{width:100%;min-width:560px;height:auto;display:block;margin-top:6px}
        .grid{stroke:var(--grid);stroke-width:1}.tick{fill:var(--muted);font-size:12px;font-variant-numeric:tabular-nums}
        .axis{fill:var(--soft);font-size:12px}.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
        .line.dashed{stroke-dasharray:5 4;stroke-width:1.6}.line.a{stroke:var(--a)}.line.b{stroke:var(--b)}
        .dot.a{fill:var(--a)}.dot.b{fill:var(--b)}.fail{fill:var(--bad)}
        .range line{stroke-width:3;stroke-opacity:.45}.range.a line,.range.a .end{stroke:var(--a)}
        .range.b line,.range.b .end{stroke:var(--b)}.range.a circle{fill:var(--a)}.range.b circle{fill:var(--b)}
        .range .end{fill:var(--card);stroke-width:2}.range.a .end{fill:var(--card)}.range.b .end{fill:var(--card)}
        .cursor{stroke:var(--muted);stroke-width:1}.cursor[hidden]{display:none}
        #tip{position:fixed;pointer-events:none;background:var(--ink);color:var(--page);font-size:12.5px;padding:5px 9px;
        border-radius:5px;white-space:pre;z-index:2;font-variant-numeric:tabular-nums}
        .wide{overflow-x:auto;background:var(--card);border:1px solid var(--border);border-radius:8px}
        table{border-collapse:collapse;width:100%;font-size:13.5px;font-variant-numeric:tabular-nums}
        th,td{text-align:right;padding:5px 12px;white-space:nowrap;border-bottom:1px solid var(--grid)}
        tbody tr:last-child td{border-bottom:0}th{color:var(--soft);font-weight:600;font-size:12.5px}
        .word{text-align:left}td.word{white-space:normal;min-width:5em}
        """

    /// Shows a chart's text for the place under the pointer.
    static let script = """
        (()=>{const tip=document.getElementById("tip");
        for(const svg of document.querySelectorAll("svg[data-tips]")){
        const cursor=svg.querySelector(".cursor");
        const tips=svg.dataset.tips.split("\\n").filter(Boolean).map(l=>{const s=l.indexOf(" ");
        return[parseFloat(l.slice(0,s)),l.slice(s+1).replaceAll(" | ","\\n")]});
        if(!tips.length)continue;
        svg.addEventListener("pointermove",e=>{const box=svg.getBoundingClientRect();
        const x=(e.clientX-box.left)*svg.viewBox.baseVal.width/box.width;
        let best=tips[0];for(const t of tips)if(Math.abs(t[0]-x)<Math.abs(best[0]-x))best=t;
        cursor.setAttribute("x1",best[0]);cursor.setAttribute("x2",best[0]);cursor.removeAttribute("hidden");
        tip.textContent=best[1];tip.hidden=false;
        const left=e.clientX+14+tip.offsetWidth>innerWidth?e.clientX-14-tip.offsetWidth:e.clientX+14;
        tip.style.left=left+"px";tip.style.top=e.clientY+14+"px"});
        svg.addEventListener("pointerleave",()=>{tip.hidden=true;cursor.setAttribute("hidden","")})}})();
        """
}
