/** Whether more or less of a number is better, where its name tells. */

/** Words, as they stand in `val_loss`, `testAccuracy`, `top-1`. */
const MORE_IS_BETTER = new Set(
  ("acc accuracy auc auroc ap map f1 precision recall score reward return bleu rouge iou miou dice " +
    "psnr ssim r2 throughput speedup top1 top5 hits ndcg mrr win wins passed").split(" "),
);
const LESS_IS_BETTER = new Set(
  ("loss error err errors mae mse rmse mape perplexity ppl wer cer fid nll latency regret " +
    "failures failed divergence").split(" "),
);

/** Undefined where the name says neither, or both. */
export function aimOf(name: string): "most" | "least" | undefined {
  const words = name.replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase().split(/[^a-z0-9]+/);
  const isMost = words.some((word) => MORE_IS_BETTER.has(word));
  const isLeast = words.some((word) => LESS_IS_BETTER.has(word));
  if (isMost === isLeast) return undefined;
  return isMost ? "most" : "least";
}
