package lint

import (
	"cmp"
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"
)

// The shapes of SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format") that
// are written.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string      `json:"id"`
		ShortDescription sarifText   `json:"shortDescription"`
		FullDescription  sarifText   `json:"fullDescription"`
		Help             sarifText   `json:"help"`
		HelpURI          string      `json:"helpUri"`
		Configuration    sarifConfig `json:"defaultConfiguration"`
	}
	sarifConfig struct {
		Level Severity `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID       string             `json:"ruleId"`
		RuleIndex    int                `json:"ruleIndex"`
		Level        Severity           `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		CodeFlows    []sarifCodeFlow    `json:"codeFlows,omitempty"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
		Fingerprints map[string]string  `json:"partialFingerprints"`
		Properties   map[string]any     `json:"properties,omitempty"`
	}
	sarifLocation struct {
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
		Message  *sarifText     `json:"message,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifLogical struct {
		Name               string `json:"name"`
		FullyQualifiedName string `json:"fullyQualifiedName"`
		Kind               string `json:"kind"`
	}
	sarifCodeFlow struct {
		ThreadFlows []sarifThreadFlow `json:"threadFlows"`
	}
	sarifThreadFlow struct {
		Locations []sarifThreadLocation `json:"locations"`
	}
	sarifThreadLocation struct {
		Location sarifLocation `json:"location"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Status        string `json:"status"`
		Justification string `json:"justification"`
	}
)

// home is where the project is.
const home = "https://github.com/vpcsim/vpcsim"

// WriteSARIF writes findings as a SARIF 2.1.0 log: the object is the logical location, the
// file that it was read from the physical one, and the hops of the proof are a code flow.
func WriteSARIF(out io.Writer, found []Finding) error {
	run := sarifRun{
		Tool:    sarifTool{sarifDriver{Name: "vpcsim lint", InformationURI: home}},
		Results: []sarifResult{},
	}
	index := map[string]int{}
	for i, r := range catalogue {
		index[r.ID] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			r.ID, sarifText{r.Title}, sarifText{r.Why}, sarifText{"Fix: " + r.Fix + "\nSource: " + r.Source}, home + "/blob/main/docs/lint.md", sarifConfig{r.Severity},
		})
	}
	for i := range found {
		run.Results = append(run.Results, found[i].sarif(index))
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(sarifLog{
		Schema:  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		Version: "2.1.0", Runs: []sarifRun{run},
	})
}

func (f *Finding) sarif(index map[string]int) sarifResult {
	r := sarifResult{
		RuleID: f.Rule, RuleIndex: index[f.Rule], Level: f.Severity,
		Message:      sarifText{f.Message + "\nwhy: " + f.because() + "\nfix: " + f.Fix + "\nproof: " + f.proved()},
		Fingerprints: map[string]string{"vpcsim/v1": f.Rule + "/" + f.Object},
		Properties:   map[string]any{"object": f.Object, "proven": f.Proof != nil},
	}
	here := sarifLocation{Logical: []sarifLogical{{Name: cmp.Or(f.Name, f.Object), FullyQualifiedName: f.Object, Kind: "resource"}}}
	if f.File != "" {
		here.Physical = &sarifPhysical{Artifact: sarifArtifact{(&url.URL{Path: filepath.ToSlash(f.File)}).String()}, Region: &sarifRegion{1}}
	}
	r.Locations = []sarifLocation{here}
	if f.Code != "" {
		r.Properties["code"] = f.Code
	}
	if f.Suppressed != "" {
		r.Suppressions = []sarifSuppression{{"external", "accepted", f.Suppressed}}
	}
	if f.Proof != nil && len(f.Proof.Hops) > 0 {
		flow := sarifThreadFlow{}
		for _, h := range f.Proof.Hops {
			flow.Locations = append(flow.Locations, sarifThreadLocation{sarifLocation{Physical: here.Physical, Message: &sarifText{h}}})
		}
		r.CodeFlows = []sarifCodeFlow{{[]sarifThreadFlow{flow}}}
	}
	return r
}
