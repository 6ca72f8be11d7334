/// What is taken from the JSON of `cargo publish`; everything else is read from the `Cargo.toml` in the crate file.
///
/// Source: docs/PROTOCOL.md, "Publish" and "Order of checks".
package struct PublishMetadata: Hashable, Sendable {
    package let name: CrateName
    package let version: Version
    /// The whole text; nil if the crate has none.
    package let readme: String?
    /// Its path in the crate.
    package let readmeFile: String?

    package init(name: CrateName, version: Version, readme: String? = nil, readmeFile: String? = nil) {
        self.name = name
        self.version = version
        self.readme = readme
        self.readmeFile = readmeFile
    }

    /// - Parameter json: one object without repeated keys at any level; fields that we don't know are passed over.
    package init(parsing json: [UInt8]) throws(Invalid) {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: json)
        } catch {
            throw .json(error)
        }
        guard let object = value.object else { throw .notAnObject }
        guard let name = object["name"]?.string else { throw .field("name") }
        guard let version = object["vers"]?.string else { throw .field("vers") }
        do { self.name = try CrateName(name) } catch { throw .name(error) }
        do { self.version = try Version(version) } catch { throw .version(error) }
        readme = try Self.optionalText("readme", in: object)
        readmeFile = try Self.optionalText("readme_file", in: object)
    }

    private static func optionalText(_ key: String, in object: JSONObject) throws(Invalid) -> String? {
        switch object[key] {
        case nil, .null: return nil
        case .string(let text): return text
        default: throw .field(key)
        }
    }
}

extension PublishMetadata {
    package enum Invalid: Error, Hashable, CustomStringConvertible {
        case json(JSONValue.Invalid)
        case notAnObject
        /// A field that is absent or no string.
        case field(String)
        case name(CrateName.Invalid)
        case version(Version.Invalid)

        package var description: String {
            switch self {
            case .json(let reason): "invalid upload request: \(reason)"
            case .notAnObject: "invalid upload request: the metadata is no JSON object"
            case .field(let name): "invalid upload request: the field `\(name)` must be a string"
            case .name(let reason): reason.description
            case .version(let reason): reason.description
            }
        }
    }
}
