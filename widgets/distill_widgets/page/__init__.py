"""What every page of a notebook needs: messages, controls, markup, colours, plotly."""
