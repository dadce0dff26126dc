// The kinds of models: models.py.
import { HeatNetwork } from "./heat_network.js";
import { Network } from "./network.js";

export const isHeat = ({ waves }) => waves !== undefined;

// weights: see readWeights.
export function networkOf(kernel, weights) {
  return isHeat(weights.config) ? new HeatNetwork(kernel, weights) : new Network(kernel, weights);
}
