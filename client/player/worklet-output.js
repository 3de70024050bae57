import { PROGRAMME_RATE_HZ } from "../protocol.js";
import { LEAST_SECONDS } from "./patience.js";

const EMPTY_WITHIN_MS = 200;

/** @typedef {import("./playout.js").PlayoutStatus & {contextSeconds: number}} OutputStatus */

/** Sound through an AudioWorklet: the buffer lives on the audio thread. */
export class WorkletOutput {
  /**
   * @param {import("./graph.js").AudioGraph} graph
   * @param {AudioWorkletNode} node
   * @param {number} leastSeconds kept in hand
   */
  constructor(graph, node, leastSeconds) {
    this.graph = graph;
    this.node = node;
    this.leastSeconds = leastSeconds;
    /** @type {(status: OutputStatus) => void} */
    this.onStatus = () => {};
    /** @type {(value?: unknown) => void} */
    this.whenEmpty = () => {};
    node.port.onmessage = ({ data }) => (data === "empty" ? this.whenEmpty() : this.onStatus(data));
    node.connect(graph.input);
  }

  /**
   * @param {import("./graph.js").AudioGraph} graph
   * @param {import("./patience.js").Patience} patience
   * @returns {Promise<WorkletOutput>}
   */
  static async open(graph, patience) {
    const leastSeconds = LEAST_SECONDS[patience];
    await graph.context.audioWorklet.addModule(new URL("./playout-worklet.js", import.meta.url));
    const node = new AudioWorkletNode(graph.context, "auralis-playout", {
      numberOfInputs: 0,
      outputChannelCount: [2],
      processorOptions: { programmeRateHz: PROGRAMME_RATE_HZ, leastSeconds },
    });
    return new WorkletOutput(graph, node, leastSeconds);
  }

  /** @param {MessagePort} port chunks come here from now on */
  feed(port) {
    this.node.port.postMessage({ feed: port }, [port]);
  }

  /** Before the fade to a pause: the audio thread plays on by itself. */
  hush() {}

  /** After it: drop what is left, or a moment of it would be heard when the context wakes again. */
  empty() {
    return new Promise((resolve) => {
      this.whenEmpty = resolve;
      this.node.port.postMessage({ feed: null });
      setTimeout(resolve, EMPTY_WITHIN_MS); // A context taken away by the system answers nothing.
    });
  }
}
