// The kinds of models: models.py.
import { HeatNetwork } from "./heat_network.js";
import { Network } from "./network.js";

export const isHeat = ({ waves }) => waves !== undefined;

// The least magnification at which a model is asked; LEAST_ASKED in frames.py says why.
export const leastAsked = (config) => (isHeat(config) ? 0.5 : 1);

// weights: see readWeights.
export function networkOf(kernel, weights) {
  return isHeat(weights.config) ? new HeatNetwork(kernel, weights) : new Network(kernel, weights);
}
