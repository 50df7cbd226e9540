package recipe

// losses are other programs' names of the losses of preferences.
var losses = map[string]string{"dpo": "sigmoid", "['sigmoid']": "sigmoid"}

// preferred are keys of preferences.
var preferred = []foreign{
	{names: "loss_type rl", to: "loss_type", words: losses},
	{names: "pref_loss", to: "loss_type", words: losses},
	{names: "stage", to: "loss_type", words: map[string]string{"sft": "", "dpo": "sigmoid"}, weak: true},
	{names: "rl_beta dpo_beta pref_beta orpo_alpha", to: "beta"},
	{names: "pref_ftx", to: "rpo_alpha"},
	{names: "dpo_label_smoothing", to: "label_smoothing"},
	{names: "kto_desirable_weight kto_chosen_weight", to: "desirable_weight"},
	{names: "kto_undesirable_weight kto_rejected_weight", to: "undesirable_weight"},
	{names: "precompute_ref_log_probs precompute_ref_batch_size reference_free",
		say: "the reference's log-probabilities are computed once, before the first step"},
	{names: "disable_dropout no_disable_dropout", say: "nothing is dropped out"},
	{names: "f_divergence_type", words: map[string]string{"reverse_kl": ""}, refused: true,
		say: "the distance to the reference is the reverse KL divergence"},
	{names: "f_alpha_divergence_coef discopop_tau ref_model_mixup_alpha ref_model_sync_steps",
		say: "it belongs to a loss, or a reference that moves, which are not there"},
	{names: "sync_ref_model", refused: true, say: "the reference is the model that the run begins with"},
	{names: "loss_weights dpo_loss_weights dpo_loss_type", refused: true,
		say: "loss_type names one loss; rpo_alpha adds the better answers' cross-entropy to it"},
	{names: "cpo_alpha", refused: true, say: "rpo_alpha adds the better answers' cross-entropy to a loss"},
	{names: "ld_alpha use_weighting dpo_use_weighting dpo_norm_loss", refused: true,
		say: "every token of an answer counts the same, and every pair"},
	{names: "max_prompt_length max_completion_length", refused: true,
		say: "max_length is that of prompt and answer together"},
	{names: "dpo_use_logits_to_keep dpo_padding_free dpo_use_liger_kernel dpo_generate_during_eval generate_during_eval",
		say: "answers stand behind their prompt once, nothing is padded, and only their logits are computed"},
}
