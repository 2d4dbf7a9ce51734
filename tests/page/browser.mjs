// Walks through pages in a real Chromium, as people do: with a pointer, with keys, on a phone.
//
//     node browser.mjs FOLDER-OF-NODE-MODULES SCENARIO PAGE.html [MORE...]
//
// Ends with 1 where something is not as it should be. In every scenario the page may ask for nothing, and say nothing to the
// console; its policy must hold.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, scenario, file, ...more] = process.argv.slice(2);
const { chromium } = createRequire(join(folder, "node_modules", "/"))("playwright-core");
const address = `${pathToFileURL(file)}`;
const wrong = [];

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });

async function opened(hash = "", options = {}) {
  const page = await browser.newPage({ viewport: { width: 1300, height: 850 }, ...options });
  page.on("console", (message) => wrong.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => wrong.push(`error: ${error.message}`));
  page.on("request", (request) => request.url().split("#")[0] === address || /^(data|blob):/.test(request.url()) || wrong.push(`request: ${request.url()}`));
  page.on("dialog", (dialog) => wrong.push(`dialog: ${dialog.message()}`));
  await page.addInitScript(() => {
    window.violations = [];
    document.addEventListener("securitypolicyviolation", (event) => window.violations.push(`${event.violatedDirective}: ${event.blockedURI}`));
  });
  await page.goto(address + hash);
  if (options.javaScriptEnabled !== false) await page.waitForSelector("[role=treeitem]");
  return page;
}

/** Where everything in a drawing is: what each element says, and how the whole is moved. */
const drawn = (page) => page.evaluate(() => [...document.querySelectorAll(".drawing g[transform], .drawing rect, .drawing path, .drawing text, .drawing circle")]
  .filter((each) => !each.closest(".lit"))
  .map((each) => ["transform", "x", "y", "width", "height", "d", "cx", "cy"].map((name) => each.getAttribute(name)).join(" ") + each.textContent).sort().join("\n"));
const item = (page, id) => page.locator(`[role=treeitem][aria-label*=": ${id},"]`).first();
const choose = (page, id) => item(page, id).locator("text").first().click();
const button = (page, name) => page.getByRole("button", { name, exact: true });
const focused = (page) => page.evaluate(() => document.activeElement.dataset?.key ?? null);
const hash = async (page) => {
  await page.waitForTimeout(400); // it is written when nothing has changed for a while
  return page.evaluate(() => decodeURIComponent(location.hash));
};
const settle = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 30)))));
const count = (page, selector) => page.locator(selector).count();

const scenarios = {
  async fold() {
    const page = await opened();
    const before = await drawn(page);
    const closed = await count(page, "[role=treeitem]");
    await item(page, "layer3").locator("[data-fold]").click();
    await settle(page);
    assert.ok((await count(page, "[role=treeitem]")) > closed);
    assert.notEqual(await drawn(page), before);
    await item(page, "layer3").locator("[data-fold]").click();
    await settle(page);
    assert.equal(await drawn(page), before, "folded again, it is as it was");
    await item(page, "layer2").dblclick();
    await settle(page);
    assert.equal(await item(page, "layer2.1").getAttribute("aria-expanded"), "false");
    await choose(page, "layer2.1");
    await settle(page);
    assert.match(await page.locator(".kind").innerText(), /first, each of 3/);
    await button(page, "Unfold every bottleneck").click();
    await settle(page);
    assert.equal(await page.locator('[role=treeitem][aria-expanded="true"][aria-label*="· bottleneck"][aria-level="2"]').count(), 8);
    await button(page, "Fold all").click();
    await settle(page);
    assert.equal(await count(page, "[role=treeitem]"), closed);
  },

  async search() {
    const page = await opened();
    await page.keyboard.press("/");
    await page.keyboard.type("layer3.0.conv2.stride");
    await page.keyboard.press("Enter");
    await settle(page);
    assert.equal(await page.locator(".details h2").innerText(), "layer3.0.conv2");
    const asked = await page.locator(".reason.asked").first().innerText();
    assert.match(asked, /^stride is 2/);
    assert.match(asked, /only the first repeat|the use itself/s);
    assert.match(await hash(page), /at=layer3\.0\.conv2&open=layer3\|layer3\.0&why=stride/);
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), "conv 3×3/2 256×14²: layer3.0.conv2, gives 256×14×14");
    assert.match(await page.locator(".line.marked").innerText(), /^48 +conv2: /);
    const seen = async (query) => {
      await page.keyboard.press("/");
      await page.getByRole("combobox", { name: "Search" }).fill(query);
      const found = await page.locator("#found li b").allInnerTexts();
      await page.keyboard.press("Escape");
      await settle(page);
      return found;
    };
    assert.deepEqual(await seen("max pool"), ["maxpool"]);
    assert.ok((await seen("512x7")).every((path) => path.startsWith("layer4")));
    const costly = await seen("params > 2M");
    assert.ok(costly.includes("fc") && costly.includes("layer4.0.conv2") && !costly.includes("layer1"));
    assert.deepEqual(await seen("no such thing"), []);
    await page.reload();
    await page.waitForSelector("[role=treeitem]");
    assert.equal(await page.locator(".details h2").innerText(), "layer3.0.conv2", "the address keeps what is seen");
  },

  async keys() {
    const page = await opened();
    const all = await page.evaluate(() => JSON.parse(document.getElementById("data").textContent).networks[0].at.length);
    for (let at = 0; at < 40 && (await focused(page)) === null; at++) await page.keyboard.press("Tab");
    const reached = new Set();
    const press = async (key) => {
      await page.keyboard.press(key);
      await settle(page);
      return focused(page);
    };
    const visit = async () => {
      const here = await focused(page);
      reached.add(here);
      assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-selected") ?? "true"), "true");
      const inner = await press("ArrowDown");
      if (inner !== here) {
        await visit();
        assert.equal(await press("ArrowUp"), here);
      }
      if ((await press("ArrowRight")) !== here) await visit();
    };
    await visit();
    assert.equal(reached.size, all, "every step can be reached");
    await press("Home");
    await press("Enter");
    assert.equal(await page.locator("[role=treeitem][aria-selected=true]").getAttribute("aria-expanded"), "false");
    await press("Escape");
    await page.locator(".ring.chosen").waitFor({ state: "detached" });
    await page.keyboard.press("?");
    assert.ok(await page.getByRole("dialog", { name: "Help" }).isVisible());
    await page.keyboard.press("Escape");
    assert.equal(await count(page, "dialog"), 0);
  },

  async look() {
    const page = await opened("#open=layer1|layer1.0");
    const box = item(page, "layer1.0.conv1").locator(".front");
    const ink = () => box.evaluate((each) => getComputedStyle(each).stroke);
    const before = await ink();
    await box.hover();
    assert.notEqual(await ink(), before, "what the pointer is over is seen");
    await choose(page, "layer1.0.sum");
    await settle(page);
    assert.equal(await page.locator(".lit .edge").evaluate((each) => each.getAttribute("d").split("M").length - 1), 3, "two ways in, one out");
    const heat = page.getByLabel("Colour by");
    await heat.selectOption("macs");
    await settle(page);
    const figures = (await page.locator("[role=treeitem] .number").allTextContents()).map((each) => each.trim());
    assert.ok(figures.includes("1.46 G") && figures.includes("12.8 M"), figures.join());
    assert.ok((await count(page, ".heat-9")) >= 1);
    for (const what of ["parameters", "activations", "memory", "intensity", ""]) {
      await heat.selectOption(what);
      await settle(page);
    }
    assert.equal(await count(page, "[role=treeitem] .number"), 0);
    await button(page, "resnet.yaml").click();
    await page.locator(".line", { hasText: "layer2:" }).first().click();
    await settle(page);
    assert.equal(await page.locator(".details h2").innerText(), "layer2", "a line of the spec finds its step");
    const [svg] = await Promise.all([page.waitForEvent("download"), button(page, "Save SVG").click()]);
    const text = readFileSync(await svg.path(), "utf8");
    assert.match(text, /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    assert.ok(text.includes("bottleneck ×3") && !/ (class|style|data-key)=/.test(text));
    const [png] = await Promise.all([page.waitForEvent("download"), button(page, "Save PNG").click()]);
    assert.equal(png.suggestedFilename(), "resnet50.png");
    assert.equal(readFileSync(await png.path()).subarray(1, 4).toString(), "PNG");
  },

  async colours() {
    const ground = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await opened();
    assert.equal(await ground(light), "rgb(255, 255, 255)");
    const dark = await opened("", { colorScheme: "dark" });
    assert.equal(await ground(dark), "rgb(13, 17, 23)");
    await button(dark, "Theme: auto").click();
    await settle(dark);
    assert.equal(await ground(dark), "rgb(255, 255, 255)");
    assert.match(await hash(dark), /theme=light/);
    const forced = await opened("#heat=macs", { forcedColors: "active" });
    const inks = await forced.evaluate(() => {
      const probe = document.body.appendChild(document.createElement("p"));
      probe.style.setProperty("color", "CanvasText");
      const fills = [...document.querySelectorAll(".drawing text")].map((each) => getComputedStyle(each).fill);
      return [new Set(fills).size, getComputedStyle(document.querySelector(".drawing .front")).fill];
    });
    assert.equal(inks[0], 1, "all texts have the one colour that the reader has chosen");
  },

  async phone() {
    for (const where of ["", "#at=layer3.0.conv2&open=layer3|layer3.0&heat=memory"]) {
      const page = await opened(where, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
      const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(wide <= 390 && room === 390, `${wide} of ${room}`);
      await page.keyboard.press("?");
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390);
      await page.keyboard.press("Escape");
      await page.locator("[role=treeitem][tabindex='0']").first().tap();
      await settle(page);
      assert.equal(await count(page, ".ring.chosen"), 1);
      await page.close();
    }
  },

  async accessible() {
    const source = readFileSync(join(folder, "node_modules", "axe-core", "axe.min.js"), "utf8");
    const found = [];
    const names = await (await opened()).locator("h1").innerText();
    const hashes = names.includes(" and ") ? [["", "light", ""], ["#at=layer3.0&open=layer3&open1=layer3", "dark", ""]] : null;
    for (const [where, scheme, key] of hashes ?? [["", "light", ""], ["#at=layer3.0.conv2&open=layer3|layer3.0&heat=macs", "light", ""], ["#at=layer3.0&heat=memory", "dark", ""], ["", "light", "/"], ["", "dark", "?"]]) {
      const page = await opened(where, { colorScheme: scheme });
      if (key) await page.keyboard.press(key);
      await page.evaluate(source);
      const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
      for (const { id, help, nodes } of violations) found.push(`${where} ${scheme} ${key}: ${id}: ${help}: ${nodes.slice(0, 3).map((node) => `${node.html.slice(0, 200)} ${node.any[0]?.message ?? ""}`).join(" | ")}`);
      await page.close();
    }
    assert.deepEqual(found, []);
  },

  async policy() {
    const page = await opened();
    assert.deepEqual(await page.evaluate(() => window.violations), []);
    await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "window.ran = true";
      document.body.append(script);
      document.body.insertAdjacentHTML("beforeend", '<p id="styled" style="color: red">x</p><img src="https://example.org/x.png" onerror="window.ran = true">');
    });
    await settle(page);
    assert.equal(await page.evaluate(() => window.ran), undefined);
    assert.notEqual(await page.evaluate(() => getComputedStyle(document.getElementById("styled")).color), "rgb(255, 0, 0)");
    const held = await page.evaluate(() => window.violations.map((each) => each.split(":")[0]));
    for (const directive of ["script-src-elem", "style-src-attr", "img-src"]) assert.ok(held.includes(directive), held.join());
    wrong.length = 0; // what was tried here is told to the console
  },

  async plain() {
    const page = await opened("", { javaScriptEnabled: false });
    assert.ok(await page.locator("#sheet svg").isVisible());
    assert.equal(await page.locator("main").isVisible(), false);
    const with_it = await opened();
    assert.equal(await with_it.locator("#sheet").isVisible(), false);
  },

  async compare() {
    const page = await opened();
    assert.equal(await count(page, ".drawing"), 2);
    assert.match(await page.locator(".compared").innerText(), /stem[\s\S]*conv1: block conv 7×7\/2 → deep_stem/);
    assert.match(await page.locator(".stages").first().innerText(), /MACs\s+4\.09 G\s+4\.33 G\s+\+240 M/);
    assert.equal(await page.locator(".item.changed[aria-label*=': head,']").count(), 0);
    assert.equal(await page.locator(".item.changed[aria-label*=': layer1,']").count(), 2);
    await item(page, "layer3").locator("[data-fold]").click();
    await settle(page);
    assert.equal(await page.locator('[aria-label*=": layer3,"][aria-expanded="true"]').count(), 2, "both are unfolded");
    await choose(page, "layer3.0");
    await settle(page);
    assert.equal(await count(page, ".ring.other"), 1, "what belongs to it is shown");
    assert.match(await page.locator(".compared").innerText(), /shortcut project → avg_project/);
    const seen = await page.locator(".ring.other").evaluate((each) => {
      const [ring, pane] = [each, each.closest("svg")].map((one) => one.getBoundingClientRect());
      return ring.left >= pane.left && ring.right <= pane.right && ring.top >= pane.top && ring.bottom <= pane.bottom;
    });
    assert.ok(seen, "and moved to where it can be seen");
    assert.ok((await count(page, "path.mark.changed")) >= 8, "a shape says it, too");
    const phone = await opened("#at=layer3.0&open=layer3&open1=layer3", { viewport: { width: 390, height: 844 } });
    assert.ok((await phone.evaluate(() => document.documentElement.scrollWidth)) <= 390);
  },

  async hostile() {
    const page = await opened();
    await page.keyboard.press("/");
    await page.getByRole("combobox", { name: "Search" }).fill("<script>");
    await page.keyboard.press("Escape");
    await button(page, "Unfold all").click();
    await settle(page);
    await page.locator("[role=treeitem]").first().click();
    await settle(page);
    assert.equal(await page.evaluate(() => window.ran), undefined);
    assert.equal(await count(page, "img, script[src], iframe"), 0);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 1300);
    assert.ok(!/[\u202e\u2066\u200f]/.test(await page.evaluate(() => document.body.innerText)));
    assert.match(await page.locator("h1").innerText(), /<script>window\.ran/);
  },

  async places() {
    const { place } = await import(pathToFileURL(more[0]));
    let compared = 0;
    for (const { name, data, states } of JSON.parse(readFileSync(more[1], "utf8"))) {
      for (const { open, frames, lines, size } of states) {
        const keys = new Set(open);
        const placed = place(data, (key) => keys.has(key));
        assert.deepEqual([...placed.frames.keys()].sort(), Object.keys(frames).sort(), name);
        const same = (one, other, what) => assert.ok(one.every((each, at) => Math.abs(each - other[at]) < 1e-6), `${name} ${open} ${what}: ${one} ${other}`);
        same([placed.width, placed.height], size, "size");
        for (const [key, frame] of Object.entries(frames)) {
          const { x, y, width, height, axis } = placed.frames.get(key);
          same([x, y, width, height, axis], frame, key);
          compared += 1;
        }
        for (const [path, all] of Object.entries(lines)) {
          all.forEach((points, at) => same(placed.lines.get(path)[at].flat(), points.flat(), `${path}#${at}`));
        }
      }
    }
    console.log(compared);
  },

  async speed() {
    const page = await opened();
    const client = await page.context().newCDPSession(page);
    await client.send("Performance.enable", { timeDomain: "threadTicks" });
    const spent = async () => {
      const { metrics } = await client.send("Performance.getMetrics");
      return metrics.filter(({ name }) => /^(Script|Layout|RecalcStyle)Duration$/.test(name)).reduce((sum, { value }) => sum + value * 1000, 0);
    };
    const times = [];
    for (let turn = 0; turn < 5; turn++) {
      const before = await spent();
      await button(page, "Unfold all").evaluate((each) => each.click());
      await settle(page);
      times.push((await spent()) - before);
      assert.ok((await count(page, "[role=treeitem]")) > 800);
      await button(page, "Fold all").click();
      await settle(page);
    }
    console.log(Math.min(...times).toFixed(0));
  },
};

try {
  await scenarios[scenario]();
  assert.deepEqual(wrong, []);
} finally {
  await browser.close();
}
