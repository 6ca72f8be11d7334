import Registry
import Testing

struct PublishMetadataTests {
    @Test func `four fields are taken, the rest is passed over`() throws {
        let metadata = try PublishMetadata(
            parsing: Array(
                #"{"name":"Foo","vers":"1.0.0+b","deps":[{"x":1}],"readme":"Hi\n","readme_file":"R.md","license":7}"#
                    .utf8))
        let expected = PublishMetadata(
            name: try CrateName("Foo"), version: try Version("1.0.0+b"), readme: "Hi\n", readmeFile: "R.md")
        #expect(metadata == expected)
    }

    @Test func `no readme is nil`() throws {
        let metadata = try PublishMetadata(parsing: Array(#"{"name":"a","vers":"1.0.0","readme":null}"#.utf8))
        #expect(metadata.readme == nil)
        #expect(metadata.readmeFile == nil)
    }

    // F1, F4
    @Test(arguments: [
        ("", "invalid upload request: invalid JSON: the text ends too early at byte 0"),
        ("[]", "invalid upload request: the metadata is no JSON object"),
        (#"{"vers":"1.0.0"}"#, "invalid upload request: the field `name` must be a string"),
        (#"{"name":"a","vers":1}"#, "invalid upload request: the field `vers` must be a string"),
        (#"{"name":"a","vers":"1.0.0","readme":[]}"#, "invalid upload request: the field `readme` must be a string"),
        (
            #"{"name":"a","name":"b","vers":"1.0.0"}"#,
            "invalid upload request: invalid JSON: the key `name` a second time at byte 1"
        ),
        (
            #"{"name":"a","vers":"1.0.0","deps":[{"name":"x","name":"y"}]}"#,
            "invalid upload request: invalid JSON: the key `name` a second time at byte 36"
        ),
        (#"{"name":"","vers":"1.0.0"}"#, "the crate name cannot be empty"),
        (
            #"{"name":"a","vers":"1.0"}"#,
            "`1.0` is an invalid semver version: write it like `1.0.0` or `1.0.0-rc.1`"
        ),
    ])
    func `the refusal says what is wrong`(json: String, text: String) {
        do {
            _ = try PublishMetadata(parsing: Array(json.utf8))
            Issue.record("\(json) was accepted")
        } catch {
            #expect(error.description == text)
        }
    }
}
