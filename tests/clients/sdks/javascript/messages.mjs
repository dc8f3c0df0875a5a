// Events as JSON on standard input; on standard output a line for each message that the SDK makes of them.
import { readFileSync } from "node:fs";
import { CloudEvent, HTTP, Kafka } from "cloudevents";

const bytes = (value) =>
  typeof value === "string" || value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(JSON.stringify(value));

function print(event, protocol, mode, form, headers, body) {
  const pairs = Object.entries(headers)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, Buffer.from(String(value)).toString("base64")]);
  const message = { event, protocol, mode, form, headers: pairs, body: bytes(body).toString("base64") };
  console.log(JSON.stringify(message));
}

JSON.parse(readFileSync(0, "utf8")).forEach(({ data, ...attributes }, event) => {
  const forms = {
    object: data,
    bytes: new Uint8Array(Buffer.from(JSON.stringify(data))),
  };
  for (const [form, value] of Object.entries(forms)) {
    const made = new CloudEvent({ ...attributes, datacontenttype: "application/json", data: value });
    for (const mode of ["binary", "structured"]) {
      const http = HTTP[mode](made);
      print(event, "http", mode, form, http.headers, http.body);
      const kafka = Kafka[mode](made);
      print(event, "kafka", mode, form, kafka.headers, kafka.value);
    }
  }
});
