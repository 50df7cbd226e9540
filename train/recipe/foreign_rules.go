package recipe

import "slices"

// rules is the table of other programs' keys: those that a key here takes, those that mean nothing here, and those
// that ask for what there is not.
func rules() []foreign { return slices.Concat(taken, preferred, idle, refused) }

var (
	yes   = map[string]string{"true": "true", "false": "false"}
	other = map[string]string{"true": "false", "false": "true"}
)

// eightForFour is said where 4 bits are asked for; docs/adapters.md has the losses of both.
const eightForFour = "frozen weights are kept in 8 bits; dtype: q4_0 keeps 4, at a higher loss (docs/adapters.md)"

// taken are names and values with a key here.
var taken = []foreign{
	{names: "base_model model", to: "model_name_or_path"},
	{names: "tokenizer_name_or_path", to: "tokenizer_name"},
	{names: "dataset_name datasets train_file train_dataset", to: "dataset"},
	{names: "interleave_probs", to: "dataset_weights"},
	{names: "test_datasets validation_file", to: "eval_dataset"},
	{names: "val_set_size val_size test_split_size", to: "eval_fraction"},
	{names: "max_seq_length model_max_length sequence_len cutoff_len", to: "max_length"},
	{names: "batch batch_size micro_batch_size per_gpu_train_batch_size", to: "per_device_train_batch_size"},
	{names: "grad_accum gradient_accumulation", to: "gradient_accumulation_steps"},
	{names: "epochs num_epochs", to: "num_train_epochs"},
	{names: "evaluation_strategy", to: "eval_strategy", words: map[string]string{"false": "no"}},
	{names: "gradient_clipping", to: "max_grad_norm"},
	{names: "lr", to: "learning_rate"},
	{names: "noisy_embedding_alpha", to: "neftune_noise_alpha"},
	{names: "z_loss_multiplier auxiliary_loss_multiplier", to: "z_loss"},
	{names: "use_ema", to: "ema_decay", weak: true, words: map[string]string{"true": "0.999", "false": ""}},
	{names: "lr_scheduler", to: "lr_scheduler_type"},
	{names: "output", to: "output_dir"},
	{names: "resume", to: "resume_from_checkpoint"},
	{names: "auto_resume_from_checkpoints", to: "resume_from_checkpoint",
		words: map[string]string{"true": "auto", "false": ""}},
	{names: "random_state", to: "seed"},
	{names: "sample_packing neat_packing", to: "packing", words: map[string]string{"auto": "true"}},
	{names: "chat_template_path chat_template_jinja", to: "chat_template"},
	{names: "use_gradient_checkpointing activation_checkpointing gradient_checkpointing", to: "gradient_checkpointing",
		words: map[string]string{"unsloth": "true", "offload": "true", "offload_disk": "true"}},
	{names: "no_gradient_checkpointing disable_gradient_checkpointing", to: "gradient_checkpointing", words: other},
	{names: "completion_only_loss train_on_responses_only", to: "assistant_only_loss", words: yes},
	{names: "train_on_inputs train_on_prompt", to: "assistant_only_loss", words: other},
	{names: "group_by_length", to: "train_sampling_strategy",
		words: map[string]string{"true": "group_by_length", "false": ""}},
	{names: "curriculum_sampling disable_shuffling", to: "train_sampling_strategy",
		words: map[string]string{"true": "sequential", "false": ""}},
	{names: "eval_strategy", to: "eval_strategy", words: map[string]string{"false": "no"}},
	{names: "save_strategy", to: "save_strategy", words: map[string]string{"false": "no"}},
	{names: "evals_per_epoch", to: "eval_strategy", words: map[string]string{"0": "no", "false": "no", "*": "epoch"},
		say: "eval_steps: N measures more often"},
	{names: "saves_per_epoch", to: "save_strategy", words: map[string]string{"0": "no", "false": "no", "*": "epoch"},
		say: "save_steps: N saves more often"},
	{names: "bf16 pure_bf16", to: "dtype", weak: true,
		words: map[string]string{"true": "bf16", "full": "bf16", "auto": "", "false": ""},
		say:   "fp32 is the default; dtype: bf16 halves the weights that products read"},
	{names: "bfloat16", to: "dtype", weak: true, words: map[string]string{"true": "bf16", "false": ""}},
	{names: "torch_dtype", to: "dtype", weak: true, words: map[string]string{"float32": "fp32", "float": "fp32",
		"torch.float32": "fp32", "bfloat16": "bf16", "torch.bfloat16": "bf16", "auto": "", "none": ""},
		say: "fp32 is the default"},
	{names: "dtype", to: "dtype", words: map[string]string{"float32": "fp32", "float": "fp32",
		"torch.float32": "fp32", "bfloat16": "bf16", "torch.bfloat16": "bf16", "none": ""},
		say: "fp32 is the default"},
	{names: "adapter", to: "adapter", words: map[string]string{"qlora": "lora", "null": "", "": ""},
		say: "dtype: q8_0 keeps the frozen weights in 8 bits"},
	{names: "finetuning_type", to: "adapter", words: map[string]string{"full": "", "lora": "lora"}},
	{names: "freeze_trainable_layers", to: "unfreeze_layers"},
	{names: "use_peft", to: "adapter", words: map[string]string{"true": "lora", "false": "none"},
		say: "an adapter of lora_r 16 where no other is given"},
	{names: "lora_rank lora_dim peft_lora_r r", to: "lora_r"},
	{names: "lora_target target_modules lora_target_modules", to: "lora_target_modules",
		words: map[string]string{"all": "all-linear"}},
	{names: "lora_target_linear", to: "lora_target_modules", words: map[string]string{"true": "all-linear", "false": ""}},
	{names: "additional_target lora_modules_to_save", to: "modules_to_save"},
	{names: "load_in_8bit", to: "dtype", words: map[string]string{"true": "q8_0", "false": ""},
		say: "frozen weights are kept in 8 bits"},
	{names: "load_in_4bit", to: "dtype", words: map[string]string{"true": "q8_0", "false": ""}, say: eightForFour},
	{names: "quantization_bit", to: "dtype", words: map[string]string{"4": "q8_0", "8": "q8_0"}, say: eightForFour},
	{names: "report_to", to: "report_to", words: map[string]string{"tensorboard": "tensorboard", "all": "tensorboard",
		"tensorboard,wandb": "tensorboard", "wandb,tensorboard": "tensorboard", "*": ""},
		say: "metrics.jsonl and loss.svg hold the run's course, and tensorboard can be asked for"},
	{names: "use_tensorboard", to: "report_to", words: map[string]string{"true": "tensorboard", "false": ""}},
	{names: "use_muon", to: "optim", words: map[string]string{"true": "muon", "false": ""}},
	{names: "optim optimizer", to: "optim", words: map[string]string{
		"adamw_torch": "adamw", "adamw_torch_fused": "adamw", "adamw_torch_xla": "adamw", "adamw_hf": "adamw",
		"adamw_apex_fused": "adamw", "adamw_torch_npu_fused": "adamw", "adamw_anyprecision": "adamw",
		"adamw_8bit": "adamw", "adamw_bnb_8bit": "adamw", "adamw_torch_8bit": "adamw", "adamw_torch_4bit": "adamw",
		"paged_adamw_8bit": "adamw", "paged_adamw_32bit": "adamw", "paged_adamw": "adamw"},
		say: "its moments are float32"},
	{names: "chat_template", to: "chat_template", words: map[string]string{"tokenizer_default": "", "default": "",
		"tokenizer_default_fallback_chatml": "", "phi_3": "phi3", "phi_35": "phi3", "mistral_v1": "mistral",
		"mistral_v2v3": "mistral", "mistral_v3_tekken": "mistral", "llama-3": "llama3"},
		say: "the model's own template is the default"},
	{names: "template", to: "chat_template", words: map[string]string{"alpaca": "alpaca", "chatml": "chatml",
		"gemma": "gemma", "llama3": "llama3", "mistral": "mistral", "phi": "phi3", "phi3": "phi3", "zephyr": "zephyr",
		"*": ""}, say: "the model's own template is used; chat_template names another"},
}

// idle are keys that mean nothing here.
var idle = []foreign{
	{names: "mix_strategy", words: map[string]string{"concat": ""},
		say: "the files' rows are joined, or mixed by interleave_probs (dataset_weights) in epochs of as many rows"},
	{names: "dataset_dir", say: "the folder of dataset_info.json, whose names dataset may use"},
	{names: "wandb_* mlflow_* hf_mlflow_log_artifacts use_otel_metrics include_tkps " +
		"include_effective_tokens_per_second enable_torch_profiler profiler_* profile_modules master_addr " +
		"master_port comet_* swanlab_* trackio_* tensorboard_* otel_* run_name project plot_loss " +
		"logging_dir logging_strategy logging_first_step log_on_each_node log_level log_level_replica " +
		"disable_tqdm no_log_on_each_node gradio_* generate_samples num_generation_samples generation_* use_wandb " +
		"use_mlflow use_comet use_swanlab use_trackio include_num_input_tokens_seen " +
		"include_tokens_per_second profiler_steps",
		say: "metrics.jsonl and loss.svg in the run's folder hold its course"},
	{names: "push_to_hub* hub_* ms_hub_token om_hub_token export_* push_dataset_to_hub hf_use_auth_token " +
		"hf_hub_token",
		say: "nothing is uploaded; the run's folder is a Hugging Face folder, upload it afterwards"},
	{names: "deepspeed* deepcompile ddp resources_per_worker data_shared_file_system use_mca " +
		"use_megatron_bridge megatron_bridge_args use_hyper_parallel hyper_parallel_* fsdp* ddp_* " +
		"accelerator_config parallelism_config local_rank device_map world_size tensor_parallel_size " +
		"context_parallel_size sequence_parallel_degree expert_parallel_size dp_shard_size dp_replicate_size " +
		"heads_k_stride ring_attn_func average_tokens_across_devices no_average_tokens_across_devices max_memory " +
		"gpu_memory_limit torchdistx_path ray_* use_ray save_on_each_node",
		say: "one process trains, with as many threads as there are cores (threads)"},
	{names: "use_cpu no_cuda use_mps_device device low_cpu_mem_usage experimental_skip_move_to_device " +
		"torch_empty_cache_steps tpu_* offload_folder float32 infer_dtype compute_dtype",
		say: "everything runs on the CPU"},
	{names: "tf32 fp16 float16 fp16_* bf16_full_eval half_precision_backend fp8* upcast_layernorm " +
		"upcast_lmhead_output embeddings_skip_upcast",
		say: "everything is computed in float32 (dtype: bf16 for the weights in products)"},
	{names: "torch_compile* use_liger_kernel* liger_* enable_liger_kernel attn_implementation flash_attention " +
		"flash_attn flash_attn_* flash_optimum xformers_attention sdp_attention eager_attention s2_attention " +
		"flex_attention flex_attn_* use_kernels lora_mlp_kernel lora_qkv_kernel lora_o_kernel " +
		"lora_embedding_kernel plugins cut_cross_entropy unsloth_* use_unsloth* sage_attention " +
		"gemma4_hybrid_attn_impl large_head_attention sdpa_varlen tiled_mlp* llama4_linearized_experts " +
		"block_diag_attn use_kv_cache chunked_cross_entropy_num_chunks sglang_* torchdynamo jit_mode_eval " +
		"use_ipex fused_attn_kernel use_scattermoe use_sonicmoe experts_implementation use_onebitllms " +
		"use_v1_kernels use_kt kt_* activation_offloading chunked_cross_entropy use_cache",
		say: "the program has its own kernels"},
	{names: "gradient_checkpointing_kwargs activation_checkpointing_kwargs use_reentrant_gc " +
		"selective_checkpointing layer_offloading",
		say: "gradient_checkpointing has one way, with the same bits"},
	{names: "dataset_num_proc dataset_processes preprocessing_num_workers dataloader_* no_dataloader_* " +
		"preprocessing_batch_size num_proc",
		say: "rows are read and encoded with threads; every row is trained"},
	{names: "dataset_prepared_path overwrite_cache skip_prepare_dataset tokenized_path cache_dir " +
		"dataset_keep_in_memory shuffle_before_merging_datasets shuffle_merged_datasets shuffle_dataset " +
		"streaming dataset_streaming dataset_test_split num_of_sequences chars_per_token buffer_size " +
		"is_preprocess preprocess_iterable total_num_tokens total_supervised_tokens axolotl_config_path " +
		"remove_unused_columns no_remove_unused_columns label_names length_column_name",
		say: "rows are read anew at every start; `instruct data inspect` accounts for each"},
	{names: "per_device_eval_batch_size eval_batch_size per_gpu_eval_batch_size eval_accumulation_steps " +
		"prediction_loss_only eval_do_concat_batches no_eval_do_concat_batches eval_use_gather_object " +
		"include_for_metrics batch_eval_metrics do_eval eval_on_start eval_sample_packing eval_packing " +
		"eval_table_size eval_max_new_tokens predict_with_generate compute_accuracy do_causal_lm_eval " +
		"eval_causal_lm_metrics include_inputs_for_metrics skip_memory_metrics no_skip_memory_metrics debug " +
		"past_index do_bench_eval bench_* eval_num_beams eval_on_each_dataset eval_sequence_len",
		say: "the held-out loss is the mean over all held-out tokens, whatever the batches"},
	{names: "packing_strategy padding_free pad_to_sequence_len pad_to_multiple_of pad_token " +
		"ignore_pad_token_for_loss batch_flattening multipack_real_batches sample_packing_* pretrain_multipack_* " +
		"pretraining_sample_concatenation streaming_multipack_buffer_size max_packed_sequence_len " +
		"excess_length_strategy",
		say: "batches are flat: nothing is padded, and packed rows do not see each other"},
	{names: "save_only_model save_safetensors save_first_step enable_jit_checkpoint " +
		"restore_callback_states_from_checkpoint",
		say: "checkpoints are whole and in safetensors"},
	{names: "type_of_model cls_model_config processor_kwargs tokenizer_save_jinja_files " +
		"mean_resizing_embeddings fix_untrained_tokens moe_aux_loss_coef tokenizer_legacy tokenizer_use_fast " +
		"tokenizer_use_mistral_common use_fast_tokenizer split_special_tokens trust_remote_code model_type " +
		"tokenizer_type processor_type is_llama_derived_model is_falcon_derived_model is_mistral_derived_model " +
		"is_qwen_derived_model use_auth_token model_revision base_model_config revision_of_model tokenizer_config " +
		"use_fast resize_token_embeddings_to_32x shrink_embeddings ignore_bias_buffers router_aux_loss_coef " +
		"full_finetuning",
		words: map[string]string{"main": ""}, say: "the files in the model's folder say what it is"},
	{names: "lora_task_type lora_fan_in_fan_out lora_on_cpu peft_autocast_adapter_dtype peft_layers_to_transform " +
		"merge_lora adapter_folder task_type inference_mode fan_in_fan_out create_new_adapter",
		words: map[string]string{"causal_lm": ""},
		say:   "an adapter is PEFT's, and the model says the rest; `instruct model merge` makes a whole model of it"},
	{names: "logging_nan_inf_filter no_logging_nan_inf_filter loss_watchdog_threshold loss_watchdog_patience " +
		"auto_find_batch_size full_determinism gc_steps gc_collect_steps",
		say: "a loss that is not finite ends the run, memory is checked before it, and its bits are always the " +
			"same"},
	{names: "eot_tokens train_on_eot train_on_eos preserve_thinking role_boundaries enable_thinking",
		say: "the template says where an answer ends; its end is trained"},
	{names: "do_train strict max_new_tokens image_max_pixels image_min_pixels image_do_pan_and_scan " +
		"crop_to_patches use_audio_in_video audio_sampling_rate video_* image_* media_dir freeze_vision_tower " +
		"freeze_multi_modal_projector sample_backend infer_backend print_param_status",
		say: "it changes nothing of a text model's training"},
}

// refused are keys that ask for what there is not.
var refused = []foreign{
	{names: "lora_model_dir adapter_name_or_path", refused: true,
		say: "an adapter is trained on where its folder is model_name_or_path: its adapter_config.json names the base"},
	{names: "peft_config peft peft_type peft_* relora relora_* jagged_restart_* oft_* pissa_* loraplus_* lora_bias bias " +
		"peft_init_lora_weights init_lora_weights lora_layers_to_transform layers_to_transform layers_pattern " +
		"rank_pattern alpha_pattern lora_rank_pattern lora_alpha_pattern lora_target_parameters " +
		"lora_layer_replication qlora_* module_dropout merge_method",
		words: map[string]string{"none": "", "lora": ""}, refused: true,
		say: "adapters are LoRA, drawn as PEFT draws them: adapter, lora_r, lora_alpha, lora_dropout, " +
			"lora_target_modules, use_rslora, use_dora and modules_to_save are all of it"},
	{names: "bnb_* use_bnb_nested_quant gptq* quantize_* qat quantization_* " +
		"quant_config quantization double_quantization export_quantization_bit model_quantization_*", refused: true,
		words: map[string]string{"nf4": "", "bnb": "", "bitsandbytes": ""},
		say:   "weights that are frozen beside an adapter are kept in 8 bits with dtype: q8_0; remove it"},
	{names: "center_rewards_coefficient reward_model process_reward_model trainer_cls trl vllm* ebft kto_* pref_* " +
		"dpo_* ppo_* reward_* ref_model* gdpo grpo_*",
		refused: true, say: "instruction tuning and losses of preferences (loss_type) are there; remove it"},
	{names: "early_stopping_steps", to: "early_stopping_patience"},
	{names: "dynamic_checkpoint eval_delay", refused: true,
		say: "evaluations come by eval_strategy, checkpoints by save_strategy"},
	{names: "metric_for_best_model", words: map[string]string{"eval_loss": "", "loss": ""}, refused: true,
		say: "the best checkpoint is that of the lowest held-out loss"},
	{names: "greater_is_better", refused: true, say: "the best checkpoint is that of the lowest held-out loss"},
	{names: "cosine_min_lr_ratio eta_min", refused: true, say: "write lr_scheduler_type: cosine_with_min_lr and " +
		"lr_scheduler_kwargs: {min_lr_rate: ...}, or min_lr"},
	{names: "cosine_constant_lr_ratio lr_div_factor lr_groups embedding_lr embedding_lr_scale lr_quadratic_warmup",
		refused: true, say: "the schedules are those of lr_scheduler_type, with one rate for all weights"},
	{names: "optim_args optim_target_modules use_galore galore_* use_apollo apollo_* use_badam badam_* " +
		"use_adam_mini adam_epsilon2 adam_beta3 torchao_* dion_* qgalore_*", refused: true,
		say: "optim is adamw or muon; adam_beta1, adam_beta2, adam_epsilon and muon_ns_steps are all of it"},
	{names: "use_dft_loss " +
		"use_asft_loss use_eaft_loss use_eaft eaft_* asft_alpha scaling_softmax* kd_*",
		refused: true,
		say:     "the loss is the cross-entropy of the trained tokens (label_smoothing_factor, z_loss), or loss_type"},
	{names: "freeze_trainable_modules freeze_extra_modules freeze_*", words: map[string]string{"all": ""}, refused: true,
		say: "unfreeze_layers trains the last N layers, and unfrozen_parameters what patterns of names say"},
	{names: "lisa_* use_llama_pro mixture_of_depths shift_attn rope_scaling " +
		"rope_theta overrides_of_model_config model_init_kwargs num_labels overrides_of_model_kwargs " +
		"reinit_weights train_from_scratch fp32_norms fp32_norm_classes use_pose pose_*", refused: true,
		say: "the model is trained as its folder has it"},
	{names: "eos_token tokens added_tokens add_tokens add_special_tokens resize_vocab new_special_tokens_config " +
		"init_special_tokens added_tokens_overrides special_tokens", refused: true,
		say: "tokens are those of the model's tokenizer; only pad_token may be given, and nothing is padded"},
	{names: "mask_history", refused: true,
		say: "every answer of a conversation is trained; split such rows"},
	{names: "truncation_mode", words: map[string]string{"keep_start": ""}, refused: true,
		say: "a row that is too long keeps its beginning"},
	{names: "dataset_text_field", words: map[string]string{"text": ""}, refused: true, say: "the column of texts is text"},
	{names: "dataset_train_split", words: map[string]string{"train": ""}, refused: true,
		say: "dataset names files, and all their rows are read"},
	{names: "default_system default_system_message tool_format chat_template_kwargs", refused: true,
		words: map[string]string{"default": ""}, say: "rows and the template say it: give the rows a system message"},
	{names: "dataset_exact_deduplication dataset_shard_num dataset_shard_idx num_dataset_shards_to_save " +
		"dataset_config dataset_kwargs pretraining_dataset min_sample_len max_prompt_len", refused: true,
		say: "dataset names files, and all their rows are trained; max_samples takes the first ones"},
	{names: "ignore_data_skip", refused: true, say: "a resumed run goes on with the row it would have had"},
	{names: "do_predict", refused: true, say: "`instruct eval` asks a model"},
}
