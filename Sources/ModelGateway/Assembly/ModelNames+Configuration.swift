// From the configured models to the names under which they may be called.

extension ModelNames {
    init(_ models: [Configuration.Model]) {
        for model in models {
            for alias in model.aliases { publicNames[alias] = model.name }
            if !model.modes.isEmpty { modes[model.name] = Set(model.modes) }
        }
    }
}
