// A page's beginning: reads what Python wrote into it, and shows it.

import { render } from "preact";
import { html } from "htm/preact";
import { networkOf } from "../source/network.js";
import { App } from "./app.js";
import "./page.css";

const data = JSON.parse(document.getElementById("data").textContent);
document.getElementById("sheet").hidden = true;
const main = document.getElementById("page");
main.hidden = false;
render(html`<${App} networks=${data.networks.map(networkOf)} pairs=${data.pairs} />`, main);
