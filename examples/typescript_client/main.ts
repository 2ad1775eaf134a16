import { fieldSale } from "./client.js";

declare const process: { env: Record<string, string | undefined> };

const said = await fieldSale(process.env["API_URL"] ?? "http://127.0.0.1:8000", "driver1", "hsh-demo-2026");
console.log(said.join("\n"));
