// Tests of YAML need the package trait of that name.

import ModelGateway
import Testing

extension Trait where Self == ConditionTrait {
    /// For tests that read YAML, or a file of a program whose configurations are YAML.
    static var readsYAML: Self { .enabled(if: Configuration.FileFormat.yaml.isAvailable) }
}
