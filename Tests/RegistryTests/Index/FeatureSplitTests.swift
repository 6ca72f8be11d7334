import Registry
import Testing

struct FeatureSplitTests {
    @Test func `features without new syntax stay together`() {
        let all = ["default": ["std"], "std": ["serde/std"], "full": []]
        #expect(FeatureSplit(all).features == all)
        #expect(FeatureSplit(all).features2.isEmpty)
    }

    @Test func `new syntax moves a feature, and whatever enables it through any number of steps`() {
        let split = FeatureSplit([
            "a": ["dep:x"], "weak": ["y?/std"], "b": ["a"], "c": ["b", "z"], "z": [], "slash": ["y/a"], "d": ["slash"],
        ])
        #expect(Set(split.features2.keys) == ["a", "weak", "b", "c"])
        #expect(split.features == ["z": [], "slash": ["y/a"], "d": ["slash"]])
        #expect(split.features2["c"] == ["b", "z"])
    }

    @Test func `a circle of features ends`() {
        #expect(Set(FeatureSplit(["a": ["b"], "b": ["a", "dep:x"]]).features2.keys) == ["a", "b"])
        #expect(FeatureSplit(["a": ["b"], "b": ["a"]]).features2.isEmpty)
    }

    @Test func `a chain of 23,000 features is followed to its end`() {
        var all = ["f0": ["dep:x"]]
        for number in 1..<23_000 { all["f\(number)"] = ["f\(number - 1)"] }
        #expect(FeatureSplit(all).features2.count == 23_000)
    }
}
